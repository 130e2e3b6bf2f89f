/** @file max(x, 0). */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { unaryOp } from "./elementwise.js";
import { greater } from "./greater.js";
import { mul } from "./mul.js";

export const reluOp: OpDef<[Tensor]> = unaryOp({
  name: "relu",
  onnx: "Relu",
  f: (x) => Math.max(x, 0),
  gradient: (ct, { inputs: [x] }) => mul(ct, cast(greater(x, 0), ct.dtype)),
  domain: "distinct",
});

/** max(x, 0), elementwise. */
export function relu(x: Tensor): Tensor {
  return apply(reluOp, [x], {});
}
