/** @file Layer normalisation (Ba et al. 2016, arXiv:1607.06450, section 3). */
import { ShapeError } from "../../base/errors.js";
import { type Dim, mulDims, sameShape } from "../dim.js";
import { reference } from "../reference.js";
import { type Aval, applyAll, type OpDef, type Tensor } from "../tensor.js";
import { matmul } from "./matmul.js";
import { mul } from "./mul.js";
import { reduceSum } from "./reduce-sum.js";
import { reshape } from "./reshape.js";
import { sub } from "./sub.js";

export const layerNormOp: OpDef<[Tensor, Tensor, Tensor], { readonly epsilon: number }> = {
  name: "layer_norm",
  infer: ([x, gamma, beta]) => {
    const last = x.shape.slice(-1);
    if (!sameShape(gamma.shape, last) || !sameShape(beta.shape, last)) {
      throw new ShapeError(
        `layer_norm: gamma [${gamma.shape}] and beta [${beta.shape}] do not fit the last axis of x [${x.shape}]`,
      );
    }
    const perRow: Aval = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
    return [{ dtype: x.dtype, shape: x.shape }, perRow, perRow];
  },
  // With n = (x - mean) r, r = 1/std:  dx = r (γ ct - mean(γ ct) - n mean(γ ct n)),  dγ = Σ_rows ct n,  dβ = Σ_rows ct.
  // Both means are products of a matrix with γ, which saves two passes over [N, D].
  gradient: (ct, { inputs: [x, gamma], outputs: [, mean, inverseStd] }) => {
    const size = x.shape.at(-1)!;
    const count = x.shape.slice(0, -1).reduce<Dim>(mulDims, 1);
    const rows = (tensor: Tensor): Tensor => reshape(tensor, [count, tensor.shape.at(-1)!]);
    const [c, r] = [rows(ct), rows(inverseStd!)];
    const n = mul(sub(rows(x), rows(mean!)), r);
    const u = mul(c, n);
    const column = reshape(gamma, [size, 1]);
    const meanOf = (tensor: Tensor): Tensor => matmul(tensor, column, { scale: 1 / Number(size) });
    const dx = mul(sub(sub(mul(c, gamma), meanOf(c)), mul(n, meanOf(u))), r);
    return [reshape(dx, x.shape), reduceSum(u, [0]), reduceSum(c, [0])];
  },
  lower: (b, [x, gamma, beta], { epsilon }) => {
    const attributes = { epsilon: { float: epsilon }, axis: -1, stash_type: 1 };
    return b.nodes("LayerNormalization", [x, gamma, beta], attributes, { numOutputs: 3 });
  },
  evaluate: ([x, gamma, beta], { epsilon }) => {
    const size = x.shape.at(-1)!;
    const y = reference(x.dtype, x.shape);
    const perRow = [...x.shape.slice(0, -1), 1];
    const [mean, inverseStd] = [reference(x.dtype, perRow), reference(x.dtype, perRow)];
    for (let row = 0; row < mean.data.length; row++) {
      const values = x.data.subarray(row * size, (row + 1) * size);
      const m = values.reduce((sum, v) => sum + v, 0) / size;
      const r = 1 / Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / size + epsilon);
      mean.data[row] = m;
      inverseStd.data[row] = r;
      values.forEach((v, j) => {
        y.data[row * size + j] = (v - m) * r * gamma.data[j]! + beta.data[j]!;
      });
    }
    return [y, mean, inverseStd];
  },
  samples: [
    { inputs: [{ shape: [2, 6] }, { shape: [6] }, { shape: [6] }], attrs: { epsilon: 1e-5 } },
    { inputs: [{ shape: ["B", "T", 4] }, { shape: [4] }, { shape: [4] }], attrs: { epsilon: 1e-12 } },
  ],
};

/**
 * x [..., D], gamma and beta [D] → [..., D]: (x - mean) / sqrt(variance + epsilon) · gamma + beta over the last axis,
 * with the variance of the whole row (divided by D). D must be a known size.
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): Tensor {
  return applyAll(layerNormOp, [x, gamma, beta], { epsilon })[0]!;
}
