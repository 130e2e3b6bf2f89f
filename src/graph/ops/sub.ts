/** @file a - b. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";
import { neg } from "./neg.js";

export const subOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "sub",
  onnx: "Sub",
  f: (x, y) => x - y,
  gradient: (ct) => [ct, neg(ct)],
});

/** a - b, broadcasting. */
export function sub(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(subOp, a, b);
}
