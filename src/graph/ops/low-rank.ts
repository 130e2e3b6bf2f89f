/** @file Products with two thin matrices that rows of a batch share or have of their own: what adapters add to a linear map. */
import { ShapeError } from "../../base/errors.js";
import { reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { product } from "./matmul.js";

export const lowRankOp: OpDef<[Tensor, Tensor, Tensor]> = {
  name: "low_rank",
  infer: ([x, down, up]) => {
    const [sets, rank, width] = down.shape;
    const fits =
      [x, down, up].every(({ shape }) => shape.length === 3) &&
      x.shape[2] === width &&
      up.shape[0] === sets &&
      up.shape[1] === rank &&
      (sets === 1 || typeof sets === "string" || sets === x.shape[0]);
    if (!fits) {
      throw new ShapeError(
        `low_rank: expected x [B, T, in], down [1 or B, r, in] and up [1 or B, r, out], got [${x.shape}], [${down.shape}] and [${up.shape}]`,
      );
    }
    return { dtype: x.dtype, shape: [x.shape[0]!, x.shape[1]!, up.shape[2]!] };
  },
  gradient: "forbidden",
  lower: (b, [x, down, up], _, { inputs }) => {
    const narrow = product(b, [x, down], { transA: false, transB: true, scale: 1 }, inputs);
    return b.node("MatMul", [narrow, up]);
  },
  evaluate: ([x, down, up]) => {
    const [batch, time, width] = x.shape as [number, number, number];
    const [sets, rank, size] = up.shape as [number, number, number];
    const out = reference(x.dtype, [batch, time, size]);
    for (let row = 0; row < batch * time; row++) {
      const set = sets === 1 ? 0 : Math.floor(row / time);
      for (let k = set * rank; k < (set + 1) * rank; k++) {
        let narrow = 0;
        for (let i = 0; i < width; i++) narrow += x.data[row * width + i]! * down.data[k * width + i]!;
        for (let j = 0; j < size; j++) out.data[row * size + j]! += narrow * up.data[k * size + j]!;
      }
    }
    return out;
  },
  samples: [
    { inputs: [{ shape: ["B", "T", 4] }, { shape: ["B", 2, 4] }, { shape: ["B", 2, 3] }], attrs: {} },
    { inputs: [{ shape: ["B", "T", 4] }, { shape: [1, "K", 4] }, { shape: [1, "K", 3] }], attrs: {} },
    { inputs: [{ shape: [2, 1, 4] }, { shape: [2, 3, 4] }, { shape: [2, 3, 5] }], attrs: {} },
  ],
};

/**
 * x [B, T, in], down [N, r, in], up [N, r, out] → [B, T, out]: x downᵀ up, with the matrices of each row of the batch where
 * N is B and the same for all where N is 1. N may be a name of its own, which a run binds to one or the other. No gradient:
 * while training an adapter is two matrix products.
 * @throws ShapeError when the shapes do not fit.
 */
export function lowRank(x: Tensor, down: Tensor, up: Tensor): Tensor {
  return apply(lowRankOp, [x, down, up], {});
}
