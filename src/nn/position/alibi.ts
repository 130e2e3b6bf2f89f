/** @file Attention with linear biases: scores fall with distance, by a slope of each head (Press et al. 2022, arXiv:2108.12409). */

import { type HostTensor, zeros } from "../../base/host-tensor.js";

/**
 * Slope of each head: 2^(-8 h/H) for h = 1 … H where H is a power of two (section 3). Otherwise those of the power below,
 * then every other one of the power above, as the authors' code does.
 */
export function alibiSlopes(numHeads: number): number[] {
  const below = 2 ** Math.floor(Math.log2(numHeads));
  const of = (heads: number): number[] => Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads));
  const further = of(2 * below).filter((_, h) => h % 2 === 0);
  return [...of(below), ...further.slice(0, numHeads - below)];
}

/**
 * Bias of each key, [1, H, 1, numKeys]: slope · key. Softmax does not see what is added to a whole row of scores, so for
 * causal attention this equals the paper's -slope · (query - key), in one row instead of a square.
 */
export function causalAlibi(numHeads: number, numKeys: number): HostTensor {
  const bias = zeros("float32", [1, numHeads, 1, numKeys]);
  for (const [h, slope] of alibiSlopes(numHeads).entries()) {
    for (let key = 0; key < numKeys; key++) bias.data[h * numKeys + key] = slope * key;
  }
  return bias;
}

/** -slope · |query - key| where queries see both sides, [1, H, numQueries, numKeys]. */
export function bidirectionalAlibi(numHeads: number, numQueries: number, numKeys: number): HostTensor {
  const bias = zeros("float32", [1, numHeads, numQueries, numKeys]);
  let at = 0;
  for (const slope of alibiSlopes(numHeads)) {
    for (let query = 0; query < numQueries; query++) {
      for (let key = 0; key < numKeys; key++) bias.data[at++] = -slope * Math.abs(query - key);
    }
  }
  return bias;
}
