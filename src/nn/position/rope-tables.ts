/** @file Cosines and sines of rotary position embedding. */

import { type HostTensor, zeros } from "../../base/host-tensor.js";

/** Tables by position [length, R/2], R being the rotated dims of a head. */
export interface RopeTables {
  readonly cos: HostTensor;
  readonly sin: HostTensor;
}

/**
 * Angular frequencies theta^(-2i/R) for i < R/2 (RoFormer, Su et al. 2021, arXiv:2104.09864, section 3.2.2), step by step
 * in float32 as models were trained: exact ones would differ by up to 4e-4 in an angle at position 10,000.
 */
export function ropeFrequencies(rotaryDim: number, theta: number): number[] {
  return Array.from({ length: rotaryDim / 2 }, (_, i) => {
    const wave = Math.fround(theta ** Math.fround((2 * i) / rotaryDim));
    return Math.fround(1 / wave);
  });
}

/**
 * Cosines and sines of position · frequency, times `scale`. Frequency and angle are rounded to float32, as models were
 * trained.
 */
export function tablesOf(length: number, frequencies: readonly number[], scale = 1): RopeTables {
  const half = frequencies.length;
  const rounded = Float32Array.from(frequencies);
  const [cos, sin] = [zeros("float32", [length, half]), zeros("float32", [length, half])];
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * rounded[i]!);
      cos.data[position * half + i] = Math.cos(angle) * scale;
      sin.data[position * half + i] = Math.sin(angle) * scale;
    }
  }
  return { cos, sin };
}

/** Tables of plain rotary embedding: angles position · theta^(-2i/C), cos and sin [length, C/2]. */
export function ropeTables(length: number, headDim: number, theta: number): RopeTables {
  return tablesOf(length, ropeFrequencies(headDim, theta));
}
