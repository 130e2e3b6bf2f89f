/** @file Linear maps: the one place that knows what a weight looks like. */

import { add, matmul, type Tensor, transpose } from "../../graph/index.js";
import type { Initializer, LinearHandle, ParameterSpec } from "../model.js";

export interface DenseOptions {
  /** The weight is [in, out], as GPT-2's Conv1D stores it. Default false. */
  readonly isTransposed?: boolean;
}

/** y = x wᵀ + bias with w [out, in], as PyTorch stores it (nn.Linear). */
export function denseLinear(weight: Tensor, bias?: Tensor, { isTransposed = false }: DenseOptions = {}): LinearHandle {
  const [rows, columns] = weight.shape as readonly [number, number];
  return {
    inFeatures: isTransposed ? rows : columns,
    outFeatures: isTransposed ? columns : rows,
    forward: (x) => {
      const y = matmul(x, weight, { transB: !isTransposed });
      return bias ? add(y, bias) : y;
    },
    weight: () => (isTransposed ? transpose(weight, [1, 0]) : weight),
    ...(bias && { bias }),
  };
}

export interface LinearOptions {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  /** Start of the weight. */
  readonly init: Initializer;
  /** Stored [in, out]. Default false. */
  readonly isTransposed?: boolean;
}

/** The parameters of a linear map: `<name>.weight`, and `<name>.bias` where it has one. */
export function linearParameters(name: string, options: LinearOptions): ParameterSpec[] {
  const { inFeatures, outFeatures, bias, init, isTransposed = false } = options;
  const weight: ParameterSpec = isTransposed
    ? { name: `${name}.weight`, shape: [inFeatures, outFeatures], init, matrix: "transposed" }
    : { name: `${name}.weight`, shape: [outFeatures, inFeatures], init };
  return bias ? [weight, { name: `${name}.bias`, shape: [outFeatures], init: { fill: 0 } }] : [weight];
}
