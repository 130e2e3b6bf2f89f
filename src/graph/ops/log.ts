/** @file Natural logarithm. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { div } from "./div.js";
import { unaryOp } from "./elementwise.js";

export const logOp: OpDef<[Tensor]> = unaryOp({
  name: "log",
  onnx: "Log",
  f: Math.log,
  gradient: (ct, { inputs: [x] }) => div(ct, x),
  domain: "positive",
});

/** Natural logarithm, elementwise. */
export function log(x: Tensor): Tensor {
  return apply(logOp, [x], {});
}
