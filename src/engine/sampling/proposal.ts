/** @file A token that another source proposes, and the rule by which it is taken without changing the distribution. */

import type { Rng } from "../../base/rng.js";
import type { Candidates } from "./candidates.js";

/** Probabilities by ascending token id; ids that are not listed have none. */
export interface TokenDistribution {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
}

export interface Proposal {
  readonly id: number;
  /** What `id` was drawn from. Absent where it is a guess that nothing was drawn for. */
  readonly distribution?: TokenDistribution;
  /**
   * Taken where the negative logarithm of its probability is at most this, whatever would have been chosen: BiLD's rollback
   * threshold, which changes the distribution.
   */
  readonly tolerance?: number;
}

/** A copy of the candidates' distribution. */
export function distributionOf(candidates: Candidates): TokenDistribution {
  const { ids, size } = candidates;
  const total = candidates.totalWeight();
  return {
    ids: ids.slice(0, size),
    probabilities: candidates
      .weights()
      .slice(0, size)
      .map((weight) => weight / total),
  };
}

/**
 * Takes the proposed `id`, drawn from q, with probability min(1, p(id) / q(id)), else draws from max(0, p - q) scaled to 1:
 * what comes out is distributed as p, the `candidates` (Leviathan et al. 2022, arXiv:2211.17192, section 2.3; Chen et al.
 * 2023, arXiv:2302.01318, algorithm 2).
 */
export function acceptOrResample(candidates: Candidates, id: number, q: TokenDistribution, rng: Rng): number {
  const { ids, size } = candidates;
  const [weights, total] = [candidates.weights(), candidates.totalWeight()];
  const surplus = new Float64Array(size);
  let [accepted, rest, at] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    while (at < q.ids.length && q.ids[at]! < ids[i]!) at++;
    const proposed = q.ids[at] === ids[i] ? q.probabilities[at]! : 0;
    const wanted = weights[i]! / total;
    if (ids[i] === id) accepted = wanted / proposed;
    surplus[i] = Math.max(0, wanted - proposed);
    rest += surplus[i]!;
  }
  if (rng.uniform() < accepted) return id;
  let target = rng.uniform() * rest;
  let last = id;
  for (let i = 0; i < size; i++) {
    if (surplus[i] === 0) continue;
    last = ids[i]!;
    target -= surplus[i]!;
    if (target < 0) break;
  }
  return last;
}
