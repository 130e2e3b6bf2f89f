/** @file The largest elements of the last axis with their positions. */
import { ShapeError } from "../../base/errors.js";
import { reference } from "../reference.js";
import { applyAll, type OpDef, scalar, type Tensor } from "../tensor.js";
import { broadcastTo } from "./reduce-sum.js";
import { addAlong } from "./take-along.js";

export const topKOp: OpDef<[Tensor], { readonly k: number }> = {
  name: "top_k",
  infer: ([x], { k }) => {
    const size = x.shape.at(-1);
    if (typeof size !== "number" || !(Number.isInteger(k) && k >= 1 && k <= size)) {
      throw new ShapeError(
        `top_k: k = ${k} of the last axis of [${x.shape}]; expected a whole number from 1 to its size`,
      );
    }
    const shape = [...x.shape.slice(0, -1), k];
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  gradient: (ct, { inputs: [x], outputs: [, indices] }) => [
    addAlong(broadcastTo(scalar(0, x.dtype), x.shape), indices!, ct),
  ],
  lower: (b, [x], { k }) => b.nodes("TopK", [x, b.ints([k])], { axis: -1, largest: 1, sorted: 1 }, { numOutputs: 2 }),
  evaluate: ([x], { k }) => {
    const size = x.shape.at(-1)!;
    const shape = [...x.shape.slice(0, -1), k];
    const [values, indices] = [reference(x.dtype, shape), reference("int64", shape)];
    for (let row = 0; row < x.data.length / size; row++) {
      const of = x.data.subarray(row * size, (row + 1) * size);
      const order = [...of.keys()].sort((a, b) => of[b]! - of[a]! || a - b).slice(0, k);
      order.forEach((index, i) => {
        values.data[row * k + i] = of[index]!;
        indices.data[row * k + i] = index;
      });
    }
    return [values, indices];
  },
  samples: [
    { inputs: [{ shape: [3, 5], values: "distinct" }], attrs: { k: 2 } },
    { inputs: [{ shape: ["B", "T", 4], values: "distinct" }], attrs: { k: 4 } },
  ],
};

/** x [..., N] → the k largest of each row, falling, and their indices (int64), both [..., k]. Ties go to the smaller index. */
export function topK(x: Tensor, k: number): readonly [values: Tensor, indices: Tensor] {
  const [values, indices] = applyAll(topKOp, [x], { k });
  return [values!, indices!];
}
