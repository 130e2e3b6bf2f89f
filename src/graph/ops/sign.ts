/** @file -1, 0 or 1. */
import { onnxDType } from "../onnx-dtype.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";

export const signOp: OpDef<[Tensor]> = {
  ...unaryOp({ name: "sign", onnx: "Sign", f: Math.sign, gradient: "zero", domain: "distinct" }),
  lower: (b, [x], _, { inputs }) => {
    if (b.device === "cpu") return b.node("Sign", [x]);
    // WebGPU has no Sign: (x > 0) - (0 > x)
    const { dtype } = inputs[0]!;
    const zero = b.scalar(0, dtype);
    const [above, below] = [
      [x, zero],
      [zero, x],
    ].map((pair) => b.node("Cast", [b.node("Greater", pair)], { to: onnxDType[dtype] }));
    return b.node("Sub", [above!, below!]);
  },
};

/** -1, 0 or 1, elementwise. */
export function sign(x: Tensor): Tensor {
  return apply(signOp, [x], {});
}
