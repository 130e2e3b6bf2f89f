/** @file The error function 2/√π ∫₀ˣ e^(-t²) dt. */
import { apply, type Tensor } from "../tensor.js";
import { unaryOp } from "./elementwise.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

/** Beyond this the function is ±1 to the last bit of float64. */
const SATURATED = 6;

/** erf in float64: 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!! (Abramowitz and Stegun, 7.1.6); no term cancels another. */
export function erfReference(x: number): number {
  if (Math.abs(x) >= SATURATED) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const erfOp = unaryOp({
  name: "erf",
  onnx: "Erf",
  f: erfReference,
  gradient: (ct, { inputs: [x] }) => mul(ct, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
});

/** The error function, elementwise. */
export function erf(x: Tensor): Tensor {
  return apply(erfOp, [x], {});
}
