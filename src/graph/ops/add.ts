/** @file a + b. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";

export const addOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "add",
  onnx: "Add",
  f: (x, y) => x + y,
  gradient: (ct) => [ct, ct],
});

/** a + b, broadcasting. */
export function add(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(addOp, a, b);
}
