/** @file Several ranked lists to one. */
import { ConfigError } from "../base/errors.js";

export interface Fused<Key> {
  readonly key: Key;
  readonly score: number;
  /** Rank in each list, from 1, in the order of the lists; undefined where the list does not have it. */
  readonly ranks: readonly (number | undefined)[];
}

/**
 * Keys by the sum of what each list says for them.
 * @param lists best first, each key at most once in a list.
 * @param value what the list says for its entry at a rank from 1.
 * @returns best first; of equal scores the one that came first in an earlier list.
 */
export function fuseLists<Key, Entry>(
  lists: readonly (readonly Entry[])[],
  keyOf: (entry: Entry) => Key,
  value: (list: number, rank: number) => number,
): Fused<Key>[] {
  const fused = new Map<Key, { key: Key; score: number; ranks: (number | undefined)[] }>();
  for (const [list, entries] of lists.entries()) {
    for (const [i, item] of entries.entries()) {
      const key = keyOf(item);
      const entry = fused.get(key) ?? { key, score: 0, ranks: lists.map(() => undefined) };
      entry.score += value(list, i + 1);
      entry.ranks[list] = i + 1;
      fused.set(key, entry);
    }
  }
  return [...fused.values()].sort((a, b) => b.score - a.score);
}

/** How little the first ranks stand out, by default: the value of the paper. */
export const defaultRankOffset = 60;

/**
 * Reciprocal rank fusion: the score of a key is the sum of 1 / (k + rank) over the lists that have it. It needs no scores,
 * so lists of different measures can be joined.
 * @param lists keys, best first, each at most once in a list.
 * @param k how little the first ranks stand out. Default 60.
 * @returns best first; of equal scores the one that came first in an earlier list.
 * Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009.
 */
export function reciprocalRankFusion<Key>(lists: readonly (readonly Key[])[], k = defaultRankOffset): Fused<Key>[] {
  return fuseLists(
    lists,
    (key) => key,
    (_, rank) => 1 / (k + rank),
  );
}

/** @throws ConfigError unless there is a weight for each list, at least 0. */
export function checkWeights(weights: readonly number[], numLists: number): void {
  if (weights.length === numLists && weights.every((weight) => Number.isFinite(weight) && weight >= 0)) return;
  throw new ConfigError(`fusing: expected ${numLists} weights of at least 0, one for each list, got [${weights}]`);
}
