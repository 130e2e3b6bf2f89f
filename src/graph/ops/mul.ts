/** @file a · b. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";

export const mulOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "mul",
  onnx: "Mul",
  f: (x, y) => x * y,
  gradient: (ct, { inputs: [a, b] }) => [mul(ct, b), mul(ct, a)],
});

/** a · b elementwise, broadcasting. */
export function mul(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(mulOp, a, b);
}
