/** @file a / b. */
import type { OpDef, Tensor, TensorLike } from "../tensor.js";
import { applyBinary, binaryOp } from "./elementwise.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

export const divOp: OpDef<[Tensor, Tensor]> = binaryOp({
  name: "div",
  onnx: "Div",
  f: (x, y) => x / y,
  domain: "positive",
  // d(a/b) = da / b - (a/b) db / b
  gradient: (ct, { inputs: [, b], output }) => {
    const da = div(ct, b);
    return [da, neg(mul(da, output))];
  },
});

/** a / b elementwise, broadcasting. */
export function div(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(divOp, a, b);
}
