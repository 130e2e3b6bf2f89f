/** @file e^x. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";
import { mul } from "./mul.js";

export const expOp: OpDef<[Tensor]> = unaryOp({
  name: "exp",
  onnx: "Exp",
  f: Math.exp,
  gradient: (ct, { output }) => mul(ct, output),
});

/** e^x, elementwise. */
export function exp(x: Tensor): Tensor {
  return apply(expOp, [x], {});
}
