/** @file Softmax over the last axis, and its logarithm. */
import { type Reference, reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { reduceSum } from "./reduce-sum.js";
import { sub } from "./sub.js";

/** Applies `f` to every row of the last axis. */
function mapRows(x: Reference, f: (row: Float64Array) => Float64Array): Reference {
  const size = x.shape.at(-1)!;
  const out = reference(x.dtype, x.shape);
  for (let start = 0; start < x.data.length; start += size)
    out.data.set(f(x.data.subarray(start, start + size)), start);
  return out;
}

const logSumExp = (row: Float64Array): number => {
  const max = Math.max(...row);
  return max + Math.log(row.reduce((sum, v) => sum + Math.exp(v - max), 0));
};

const samples = [
  { inputs: [{ shape: [2, 5] }], attrs: {} },
  { inputs: [{ shape: ["B", 2, "T"] }], attrs: {} },
];

export const softmaxOp: OpDef<[Tensor]> = {
  name: "softmax",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  // dx = y (ct - sum(ct y))
  gradient: (ct, { output: y }) => {
    const weighted = mul(ct, y);
    return [sub(weighted, mul(y, reduceSum(weighted, [-1], { keepDims: true })))];
  },
  lower: (b, [x]) => b.node("Softmax", [x], { axis: -1 }),
  evaluate: ([x]) =>
    mapRows(x, (row) => {
      const lse = logSumExp(row);
      return row.map((v) => Math.exp(v - lse));
    }),
  samples,
};

export const logSoftmaxOp: OpDef<[Tensor]> = {
  name: "log_softmax",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  // dx = ct - softmax(x) sum(ct)
  gradient: (ct, { output: y }) => [sub(ct, mul(exp(y), reduceSum(ct, [-1], { keepDims: true })))],
  lower: (b, [x]) => {
    if (b.device === "cpu") return b.node("LogSoftmax", [x], { axis: -1 });
    const shifted = b.node("Sub", [x, b.node("ReduceMax", [x, b.ints([-1])], { keepdims: 1 })]);
    const sum = b.node("ReduceSum", [b.node("Exp", [shifted]), b.ints([-1])], { keepdims: 1 });
    return b.node("Sub", [shifted, b.node("Log", [sum])]);
  },
  evaluate: ([x]) =>
    mapRows(x, (row) => {
      const lse = logSumExp(row);
      return row.map((v) => v - lse);
    }),
  samples,
};

/** e^x / sum(e^x) over the last axis. */
export function softmax(x: Tensor): Tensor {
  return apply(softmaxOp, [x], {});
}

/** log(softmax(x)) over the last axis, without overflow or underflow. */
export function logSoftmax(x: Tensor): Tensor {
  return apply(logSoftmaxOp, [x], {});
}
