/** @file a = b, as bool. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";

export const equalOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "equal",
  onnx: "Equal",
  f: (x, y) => Number(x === y),
  dtype: "bool",
  gradient: "zero",
});

/** a = b elementwise, broadcasting; a bool tensor. */
export function equal(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(equalOp, a, b);
}
