/** @file Values pressed into (-cap, cap) by a scaled tanh (Gemma 2, arXiv:2408.00118, section 2). */

import { mul, sub, tanh } from "../ops/index.js";
import type { Tensor } from "../tensor.js";

/** cap · tanh(x / cap); x itself without a cap. */
export function softcapped(x: Tensor, cap: number | undefined): Tensor {
  return cap === undefined ? x : mul(tanh(mul(x, 1 / cap)), cap);
}

/** Derivative of the capping by x, from its result y: 1 - (y / cap)². */
export function softcapSlope(y: Tensor, cap: number): Tensor {
  const relative = mul(y, 1 / cap);
  return sub(1, mul(relative, relative));
}
