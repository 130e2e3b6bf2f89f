/** @file Square root. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { div } from "./div.js";
import { unaryOp } from "./elementwise.js";
import { mul } from "./mul.js";

export const sqrtOp: OpDef<[Tensor]> = unaryOp({
  name: "sqrt",
  onnx: "Sqrt",
  f: Math.sqrt,
  gradient: (ct, { output }) => div(mul(ct, 0.5), output),
  domain: "positive",
});

/** Square root, elementwise. */
export function sqrt(x: Tensor): Tensor {
  return apply(sqrtOp, [x], {});
}
