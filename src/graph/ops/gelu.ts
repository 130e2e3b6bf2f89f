/** @file Gaussian error linear units (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2). */
import { mapReference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { add } from "./add.js";
import { erf, erfReference } from "./erf.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";
import { tanh } from "./tanh.js";

/** "none": x Φ(x), by the error function. "tanh": the approximation of section 2, as GPT-2 was trained. */
export type GeluForm = "none" | "tanh";

const CUBIC = 0.044715;
const SLOPE = Math.sqrt(2 / Math.PI);

const exact = (x: number): number => 0.5 * x * (1 + erfReference(x / Math.SQRT2));
const approximate = (x: number): number => 0.5 * x * (1 + Math.tanh(SLOPE * (x + CUBIC * x ** 3)));

/** Φ(x) + x φ(x). */
function exactDerivative(x: Tensor): Tensor {
  const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5), mul(x, density));
}

/** (1 + t)/2 + x/2 (1 - t²) u'  with  t = tanh u,  u = √(2/π) (x + 0.044715 x³). */
function approximateDerivative(x: Tensor): Tensor {
  const square = mul(x, x);
  const t = tanh(mul(mul(x, add(mul(square, CUBIC), 1)), SLOPE));
  const inner = mul(mul(x, add(mul(square, 3 * CUBIC), 1)), SLOPE);
  return mul(add(add(t, 1), mul(inner, sub(1, mul(t, t)))), 0.5);
}

export const geluOp: OpDef<[Tensor], { readonly approximate: GeluForm }> = {
  name: "gelu",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  gradient: (ct, { inputs: [x], attrs }) => [
    mul(ct, attrs.approximate === "none" ? exactDerivative(x) : approximateDerivative(x)),
  ],
  // as fast as com.microsoft's Gelu and FastGelu: 0.99, 1.02 (none) and 0.93, 0.94 (tanh) ms for 512 x 3072 on one thread
  lower: (b, [x], attrs) => b.node("Gelu", [x], { approximate: attrs.approximate }),
  evaluate: ([x], attrs) => mapReference(x.dtype, [x], attrs.approximate === "none" ? exact : approximate),
  samples: (["none", "tanh"] as const).flatMap((form) => [
    { inputs: [{ shape: [3, 5] }], attrs: { approximate: form } },
    { inputs: [{ shape: ["B", "T"] }], attrs: { approximate: form } },
  ]),
};

/** x Φ(x) elementwise, Φ the normal distribution function. Default form "none". */
export function gelu(x: Tensor, form: GeluForm = "none"): Tensor {
  return apply(geluOp, [x], { approximate: form });
}
