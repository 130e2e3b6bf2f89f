/** @file x · sigmoid(x), one fused kernel (SwiGLU's gate, Shazeer 2020, arXiv:2002.05202). */
import { MICROSOFT } from "../emitter.js";
import { mapReference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { add } from "./add.js";
import { mul } from "./mul.js";
import { sigmoid } from "./sigmoid.js";
import { sub } from "./sub.js";

export const siluOp: OpDef<[Tensor]> = {
  name: "silu",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  // d(x s) = s (1 + x (1 - s)) dx = (s + y (1 - s)) dx
  gradient: (ct, { inputs: [x], output }) => {
    const s = sigmoid(x);
    return [mul(ct, add(s, mul(output, sub(1, s))))];
  },
  lower: (b, [x]) => b.node("QuickGelu", [x], { alpha: { float: 1 } }, { domain: MICROSOFT }),
  evaluate: ([x]) => mapReference(x.dtype, [x], (v) => v / (1 + Math.exp(-v))),
  samples: [
    { inputs: [{ shape: [2, 3] }], attrs: {} },
    { inputs: [{ shape: ["B", "T"] }], attrs: {} },
  ],
};

/** x · sigmoid(x), elementwise. */
export function silu(x: Tensor): Tensor {
  return apply(siluOp, [x], {});
}
