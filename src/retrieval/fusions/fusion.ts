/** @file What a way to fuse ranked lists is. */
import type { Fused } from "../fuse.js";

export interface ScoredKey<Key> {
  readonly key: Key;
  /** Higher is better; comparable within its list only. */
  readonly score: number;
}

/** Registered in `../index.ts`; the conformance suite then tests it. */
export interface Fusion {
  readonly name: string;
  /**
   * One list of all keys.
   * @param lists best first, each key at most once in a list.
   * @param weights how much each list counts. Default 1 each.
   * @returns best first; of equal scores the one that came first in an earlier list.
   * @throws ConfigError when weights are not as many as the lists, or below 0.
   */
  fuse<Key>(lists: readonly (readonly ScoredKey<Key>[])[], weights?: readonly number[]): Fused<Key>[];
}
