/** @file max(a, b). */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { cast } from "./cast.js";
import { applyBinary, binaryOp } from "./elementwise.js";
import { greater } from "./greater.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

export const maximumOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "maximum",
  onnx: "Max",
  f: Math.max,
  domain: "distinct",
  // the larger operand takes the cotangent; b takes it where they are equal
  gradient: (ct, { inputs: [a, b] }) => {
    const toA = mul(ct, cast(greater(a, b), ct.dtype));
    return [toA, sub(ct, toA)];
  },
});

/** Elementwise maximum, broadcasting. */
export function maximum(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(maximumOp, a, b);
}
