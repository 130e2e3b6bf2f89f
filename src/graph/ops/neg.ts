/** @file -x. */
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";

export const negOp: OpDef<[Tensor]> = unaryOp({
  name: "neg",
  onnx: "Neg",
  f: (x) => -x,
  gradient: (ct) => neg(ct),
});

/** -x, elementwise. */
export function neg(x: Tensor): Tensor {
  return apply(negOp, [x], {});
}
