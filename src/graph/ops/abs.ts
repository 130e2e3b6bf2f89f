/** @file Absolute value. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";
import { mul } from "./mul.js";
import { sign } from "./sign.js";

export const absOp: OpDef<[Tensor]> = unaryOp({
  name: "abs",
  onnx: "Abs",
  f: Math.abs,
  gradient: (ct, { inputs: [x] }) => mul(ct, sign(x)),
  domain: "distinct",
});

/** Absolute value, elementwise. */
export function abs(x: Tensor): Tensor {
  return apply(absOp, [x], {});
}
