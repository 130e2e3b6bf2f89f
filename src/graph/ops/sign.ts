/** @file -1, 0 or 1. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";

export const signOp: OpDef<[Tensor]> = unaryOp({
  name: "sign",
  onnx: "Sign",
  f: Math.sign,
  gradient: "zero",
  domain: "distinct",
});

/** -1, 0 or 1, elementwise. */
export function sign(x: Tensor): Tensor {
  return apply(signOp, [x], {});
}
