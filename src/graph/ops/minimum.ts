/** @file min(a, b). */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { cast } from "./cast.js";
import { applyBinary, binaryOp } from "./elementwise.js";
import { greater } from "./greater.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

export const minimumOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "minimum",
  onnx: "Min",
  f: Math.min,
  domain: "distinct",
  // the smaller operand takes the cotangent; a takes it where they are equal
  gradient: (ct, { inputs: [a, b] }) => {
    const toB = mul(ct, cast(greater(a, b), ct.dtype));
    return [sub(ct, toB), toB];
  },
});

/** Elementwise minimum, broadcasting. */
export function minimum(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(minimumOp, a, b);
}
