/** @file Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4). */
import { ShapeError } from "../../base/errors.js";
import { type Dim, mulDims } from "../dim.js";
import { reference } from "../reference.js";
import { applyAll, type OpDef, type Tensor } from "../tensor.js";
import { matmul } from "./matmul.js";
import { mul } from "./mul.js";
import { reshape } from "./reshape.js";
import { sub } from "./sub.js";

export const rmsNormOp: OpDef<[Tensor, Tensor], { readonly epsilon: number }> = {
  name: "rms_norm",
  infer: ([x, weight]) => {
    const size = x.shape.at(-1);
    if (weight.shape.length !== 1 || weight.shape[0] !== size) {
      throw new ShapeError(`rms_norm: weight [${weight.shape}] does not fit the last axis of x [${x.shape}]`);
    }
    return [
      { dtype: x.dtype, shape: x.shape },
      { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] },
    ];
  },
  // y = w x r with r = 1/rms(x):  dx = r w ct - x r³/D Σ(w ct x),  dw = Σ_rows r ct x.
  // Both sums are products of u = ct x with a vector, which saves two passes over [N, D].
  gradient: (ct, { inputs: [x, weight], outputs: [, inverseRms] }) => {
    const size = x.shape.at(-1)!;
    const count = x.shape.slice(0, -1).reduce<Dim>(mulDims, 1);
    const rows = (tensor: Tensor): Tensor => reshape(tensor, [count, tensor.shape.at(-1)!]);
    const [c, v, r] = [rows(ct), rows(x), rows(inverseRms!)];
    const u = mul(c, v);
    const sum = matmul(u, reshape(weight, [size, 1]), { scale: 1 / Number(size) });
    const dx = sub(mul(mul(c, weight), r), mul(v, mul(sum, mul(r, mul(r, r)))));
    return [reshape(dx, x.shape), reshape(matmul(r, u, { transA: true }), weight.shape)];
  },
  lower: (b, [x, weight], { epsilon }, { inputs }) => {
    const attributes = { epsilon: { float: epsilon }, axis: -1, stash_type: 1 };
    if (b.device === "cpu") {
      return b.nodes("SimplifiedLayerNormalization", [x, weight], attributes, { numOutputs: 2 });
    }
    // WebGPU's kernel leaves the second output as it was
    const { dtype } = inputs[0]!;
    const meanSquare = b.node("ReduceMean", [b.node("Mul", [x, x]), b.ints([-1])], { keepdims: 1 });
    const rms = b.node("Sqrt", [b.node("Add", [meanSquare, b.scalar(epsilon, dtype)])]);
    return [b.node("SimplifiedLayerNormalization", [x, weight], attributes), b.node("Div", [b.scalar(1, dtype), rms])];
  },
  evaluate: ([x, weight], { epsilon }) => {
    const size = x.shape.at(-1)!;
    const y = reference(x.dtype, x.shape);
    const r = reference(x.dtype, [...x.shape.slice(0, -1), 1]);
    for (let row = 0; row < r.data.length; row++) {
      const values = x.data.subarray(row * size, (row + 1) * size);
      const inverse = 1 / Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / size + epsilon);
      r.data[row] = inverse;
      values.forEach((v, j) => {
        y.data[row * size + j] = v * inverse * weight.data[j]!;
      });
    }
    return [y, r];
  },
  samples: [
    { inputs: [{ shape: [2, 6] }, { shape: [6] }], attrs: { epsilon: 1e-5 } },
    { inputs: [{ shape: ["B", "T", 4] }, { shape: [4] }], attrs: { epsilon: 1e-6 } },
  ],
};

/** x [..., D], weight [D] → [..., D]: x / sqrt(mean(x²) + epsilon) · weight. D must be a known size. */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  return applyAll(rmsNormOp, [x, weight], { epsilon })[0]!;
}
