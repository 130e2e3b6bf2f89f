/** @file Hyperbolic tangent. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

export const tanhOp: OpDef<[Tensor]> = unaryOp({
  name: "tanh",
  onnx: "Tanh",
  f: Math.tanh,
  gradient: (ct, { output }) => mul(ct, sub(1, mul(output, output))),
});

/** Hyperbolic tangent, elementwise. */
export function tanh(x: Tensor): Tensor {
  return apply(tanhOp, [x], {});
}
