/** @file Rotary positions whose length decays with distance (xPos, Sun et al. 2022, arXiv:2212.10554, section 3.2). */

import { type HostTensor, zeros } from "../../base/host-tensor.js";

export interface XposOptions {
  /** Base of the angles. Default 10,000. */
  readonly theta?: number;
  /** γ of the paper: 0 decays most, large values not at all. Default 0.4. */
  readonly gamma?: number;
  /** Distance over which a score shrinks by ζ. Default 512. */
  readonly scaleBase?: number;
}

/** Tables [length, C/2] for `rope`: those of queries grow where those of keys shrink. */
export interface XposTables {
  readonly queryCos: HostTensor;
  readonly querySin: HostTensor;
  readonly keyCos: HostTensor;
  readonly keySin: HostTensor;
}

/**
 * cos and sin of n θ_i, times ζ_i^(n/scaleBase) for queries and ζ_i^(-n/scaleBase) for keys, with
 * ζ_i = (2i/C + γ) / (1 + γ) (algorithm 1). Positions count from the middle of `length`, which changes no score and keeps
 * the powers small.
 */
export function xposTables(
  length: number,
  headDim: number,
  { theta = 10_000, gamma = 0.4, scaleBase = 512 }: XposOptions = {},
): XposTables {
  const half = headDim / 2;
  const table = (): HostTensor => zeros("float32", [length, half]);
  const tables = { queryCos: table(), querySin: table(), keyCos: table(), keySin: table() };
  const middle = Math.floor(length / 2);
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < half; i++) {
      const at = position * half + i;
      const angle = position * theta ** (-i / half);
      const scale = ((i / half + gamma) / (1 + gamma)) ** ((position - middle) / scaleBase);
      tables.queryCos.data[at] = Math.cos(angle) * scale;
      tables.querySin.data[at] = Math.sin(angle) * scale;
      tables.keyCos.data[at] = Math.cos(angle) / scale;
      tables.keySin.data[at] = Math.sin(angle) / scale;
    }
  }
  return tables;
}
