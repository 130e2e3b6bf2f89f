/** @file Linear maps with weights of 4 or 8 bits. */

import type { HostTensor } from "../../base/host-tensor.js";
import { constant, matmulNBits } from "../../graph/index.js";
import type { LinearHandle } from "../model.js";

/** Levels and scales of a matrix [out, in], by block along the input. */
export interface PackedWeight {
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly packed: HostTensor;
  readonly scales: HostTensor;
}

/** y = x wᵀ with w as blocks of levels. The weights become constants of the program, which prepares them once. */
export function packedLinear(weight: PackedWeight): LinearHandle {
  const { outFeatures, inFeatures, bits, blockSize, packed, scales } = weight;
  const attrs = { outFeatures, inFeatures, bits, blockSize, quantizeActivations: true };
  return {
    outFeatures,
    inFeatures,
    forward: (x) => matmulNBits(x, constant(packed), constant(scales), attrs),
  };
}
