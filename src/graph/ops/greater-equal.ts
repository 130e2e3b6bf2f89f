/** @file a >= b, as bool. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";

export const greaterEqualOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "greater_equal",
  onnx: "GreaterOrEqual",
  f: (x, y) => Number(x >= y),
  dtype: "bool",
  gradient: "zero",
});

/** a >= b elementwise, broadcasting; a bool tensor. */
export function greaterEqual(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(greaterEqualOp, a, b);
}
