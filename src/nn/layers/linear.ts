/** @file Linear maps: the one place that knows what a weight looks like. */

import { add, matmul, type Tensor } from "../../graph/index.js";
import type { LinearHandle } from "../model.js";

/** y = x wᵀ + bias with w [out, in], as PyTorch stores it (nn.Linear). */
export function denseLinear(weight: Tensor, bias?: Tensor): LinearHandle {
  const [outFeatures, inFeatures] = weight.shape as readonly [number, number];
  return {
    inFeatures,
    outFeatures,
    forward: (x) => {
      const y = matmul(x, weight, { transB: true });
      return bias ? add(y, bias) : y;
    },
  };
}
