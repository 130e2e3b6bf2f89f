/** @file Cosines and sines of rotary position embedding. */

import { type HostTensor, zeros } from "../../base/host-tensor.js";

/**
 * Angles position · theta^(-2i/C) for i < C/2: cos and sin [length, C/2]
 * (RoFormer, Su et al. 2021, arXiv:2104.09864, section 3.2.2).
 */
export function ropeTables(length: number, headDim: number, theta: number): { cos: HostTensor; sin: HostTensor } {
  const half = headDim / 2;
  const [cos, sin] = [zeros("float32", [length, half]), zeros("float32", [length, half])];
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * theta ** (-i / half);
      cos.data[position * half + i] = Math.cos(angle);
      sin.data[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
