/** @file Several ranked lists to one. */

export interface Fused<Key> {
  readonly key: Key;
  readonly score: number;
  /** Rank in each list, from 1, in the order of the lists; undefined where the list does not have it. */
  readonly ranks: readonly (number | undefined)[];
}

/**
 * Reciprocal rank fusion: the score of a key is the sum of 1 / (k + rank) over the lists that have it. It needs no scores,
 * so lists of different measures can be joined.
 * @param lists keys, best first, each at most once in a list.
 * @param k how little the first ranks stand out. Default 60, the value of the paper.
 * @returns best first; of equal scores the one that came first in an earlier list.
 * Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009.
 */
export function reciprocalRankFusion<Key>(lists: readonly (readonly Key[])[], k = 60): Fused<Key>[] {
  const fused = new Map<Key, { key: Key; score: number; ranks: (number | undefined)[] }>();
  for (const [list, keys] of lists.entries()) {
    for (const [i, key] of keys.entries()) {
      const entry = fused.get(key) ?? { key, score: 0, ranks: lists.map(() => undefined) };
      entry.score += 1 / (k + i + 1);
      entry.ranks[list] = i + 1;
      fused.set(key, entry);
    }
  }
  return [...fused.values()].sort((a, b) => b.score - a.score);
}
