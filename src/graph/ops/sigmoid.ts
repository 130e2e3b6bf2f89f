/** @file 1 / (1 + e^-x). */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

export const sigmoidOp: OpDef<[Tensor]> = unaryOp({
  name: "sigmoid",
  onnx: "Sigmoid",
  f: (x) => 1 / (1 + Math.exp(-x)),
  gradient: (ct, { output }) => mul(ct, mul(output, sub(1, output))),
});

/** 1 / (1 + e^-x), elementwise. */
export function sigmoid(x: Tensor): Tensor {
  return apply(sigmoidOp, [x], {});
}
