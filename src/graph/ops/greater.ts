/** @file a > b, as bool. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";

export const greaterOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "greater",
  onnx: "Greater",
  f: (x, y) => Number(x > y),
  dtype: "bool",
  gradient: "zero",
});

/** a > b elementwise, broadcasting; a bool tensor. */
export function greater(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(greaterOp, a, b);
}
