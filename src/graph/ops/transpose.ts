/** @file Axes in another order. */

import { ShapeError } from "../../base/errors.js";
import { sizeOf } from "../../base/host-tensor.js";
import { flatIndex, forEachIndex, reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export const transposeOp: OpDef<[Tensor], { readonly permutation: readonly number[] }> = {
  name: "transpose",
  infer: ([x], { permutation }) => {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (permutation.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new ShapeError(`transpose: [${permutation}] does not permute the axes of shape [${x.shape}]`);
    }
    return { dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]!) };
  },
  gradient: (ct, { attrs: { permutation } }) => [transpose(ct, inverse(permutation))],
  lower: (b, [x], { permutation }) => b.node("Transpose", [x], { perm: permutation }),
  evaluate: ([x], { permutation }) => {
    const shape = permutation.map((axis) => x.shape[axis]!);
    const data = new Float64Array(sizeOf(shape));
    forEachIndex(x.shape, (flat, index) => {
      data[
        flatIndex(
          shape,
          permutation.map((axis) => index[axis]!),
        )
      ] = x.data[flat]!;
    });
    return reference(x.dtype, shape, data);
  },
  samples: [
    { inputs: [{ shape: [2, 3] }], attrs: { permutation: [1, 0] } },
    { inputs: [{ shape: ["B", "T", 2, 4] }], attrs: { permutation: [0, 2, 1, 3] } },
    { inputs: [{ shape: [2, 3, 4] }], attrs: { permutation: [2, 0, 1] } },
  ],
};

function inverse(permutation: readonly number[]): number[] {
  const result: number[] = [];
  permutation.forEach((axis, i) => {
    result[axis] = i;
  });
  return result;
}

/** Axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  return permutation.every((axis, i) => axis === i) && permutation.length === x.rank
    ? x
    : apply(transposeOp, [x], { permutation });
}
