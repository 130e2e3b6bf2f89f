/** @file How early a ranking has what is right: recall at k, reciprocal rank, discounted cumulative gain. */

/** Share of the right things that the first `k` of a ranking hold; 0 if nothing is right. */
export function recallAt(k: number, ranking: readonly boolean[], numRight: number): number {
  return numRight > 0 ? Math.min(1, count(ranking.slice(0, k)) / numRight) : 0;
}

/** 1 over the rank of the first right one; 0 if there is none. The mean over questions is MRR. */
export function reciprocalRank(ranking: readonly boolean[]): number {
  const first = ranking.indexOf(true);
  return first < 0 ? 0 : 1 / (first + 1);
}

/**
 * Normalised discounted cumulative gain of the first `k`: each gain over log₂(rank + 1), as a share of the best order that
 * `allGains`, those of everything there is, allow (Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418). 0 if nothing is
 * to be gained.
 */
export function ndcgAt(k: number, gains: readonly number[], allGains: readonly number[]): number {
  const best = [...allGains].sort((a, b) => b - a);
  const ideal = discounted(best.slice(0, k));
  return ideal > 0 ? discounted(gains.slice(0, k)) / ideal : 0;
}

const discounted = (gains: readonly number[]): number =>
  gains.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);

const count = (ranking: readonly boolean[]): number => ranking.filter(Boolean).length;
