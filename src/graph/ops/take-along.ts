/** @file Elements of the last axis by index, one list of indices per row, and the adjoint: adding to them. */
import { reference } from "../reference.js";
import { apply, type OpDef, scalar, type Tensor } from "../tensor.js";
import { broadcastTo } from "./reduce-sum.js";

export const takeAlongOp: OpDef<[Tensor, Tensor]> = {
  name: "take_along",
  infer: ([x, indices]) => ({ dtype: x.dtype, shape: indices.shape }),
  gradient: (ct, { inputs: [x, indices] }) => [addAlong(broadcastTo(scalar(0, x.dtype), x.shape), indices, ct), null],
  lower: (b, [x, indices]) => b.node("GatherElements", [x, indices], { axis: -1 }),
  evaluate: ([x, indices]) => {
    const [width, picks] = [x.shape.at(-1)!, indices.shape.at(-1)!];
    const out = reference(x.dtype, indices.shape);
    indices.data.forEach((index, i) => {
      out.data[i] = x.data[Math.floor(i / picks) * width + index]!;
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: [3, 5] }, { shape: [3, 2], dtype: "int64", values: { below: 5 } }], attrs: {} },
    { inputs: [{ shape: ["B", "T", 5] }, { shape: ["B", "T", 1], dtype: "int64", values: { below: 5 } }], attrs: {} },
  ],
};

export const addAlongOp: OpDef<[Tensor, Tensor, Tensor]> = {
  name: "add_along",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  gradient: (ct, { inputs: [, indices] }) => [ct, null, takeAlong(ct, indices)],
  lower: (b, [x, indices, updates]) => b.node("ScatterElements", [x, indices, updates], { axis: -1, reduction: "add" }),
  evaluate: ([x, indices, updates]) => {
    const [width, picks] = [x.shape.at(-1)!, indices.shape.at(-1)!];
    const out = reference(x.dtype, x.shape, x.data.slice());
    indices.data.forEach((index, i) => {
      out.data[Math.floor(i / picks) * width + index]! += updates.data[i]!;
    });
    return out;
  },
  samples: [
    {
      inputs: [{ shape: [2, 4] }, { shape: [2, 3], dtype: "int64", values: [1, 1, 0, 3, 2, 3] }, { shape: [2, 3] }],
      attrs: {},
    },
    {
      inputs: [{ shape: ["B", "K"] }, { shape: ["B", 1], dtype: "int64", values: { below: 5 } }, { shape: ["B", 1] }],
      attrs: {},
    },
  ],
};

/** x [..., N], indices [..., K] int64 → [..., K]: the elements of each row that its indices name. */
export function takeAlong(x: Tensor, indices: Tensor): Tensor {
  return apply(takeAlongOp, [x, indices], {});
}

/** x [..., N] with `updates` [..., K] added at `indices` [..., K] of each row. */
export function addAlong(x: Tensor, indices: Tensor, updates: Tensor): Tensor {
  return apply(addAlongOp, [x, indices, updates], {});
}
