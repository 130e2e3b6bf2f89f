/** @file BPE that now and then does not merge (BPE-dropout, Provilkov et al. 2020, arXiv:1910.13267, algorithm 1). */

import { ConfigError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";
import { MinHeap } from "../algorithms/min-heap.js";
import type { PairTable } from "../algorithms/pair-table.js";

/** A heap key orders by rank, then position: both fit in the 53 bits of a number. */
const positions = 2 ** 31;
const none = -1;

/**
 * Merges the symbols as `pairs` says, earliest rank first and leftmost among equals, but before each merge every possible
 * one is dropped with probability `dropout`. 0 is BPE, 1 leaves the symbols as they are. O(n log n).
 * @throws ConfigError when `dropout` is no probability.
 */
export function mergeWithDropout(symbols: readonly number[], pairs: PairTable, dropout: number, rng: Rng): number[] {
  if (!(dropout >= 0 && dropout <= 1)) {
    throw new ConfigError(`BPE-dropout: dropout must be between 0 and 1, got ${dropout}`);
  }
  const merged = [...symbols];
  const next = symbols.map((_, i) => (i + 1 < symbols.length ? i + 1 : none));
  const previous = symbols.map((_, i) => i - 1);
  const heap = new MinHeap(symbols.length);
  const slotAt = (at: number): number =>
    merged[at] === none || next[at] === none ? none : pairs.find(merged[at]!, merged[next[at]!]!);
  const look = (at: number): void => {
    const slot = slotAt(at);
    if (slot >= 0) heap.push(pairs.rank(slot) * positions + at);
  };
  for (let i = 0; i < symbols.length; i++) look(i);
  let dropped: number[] = [];
  while (heap.size > 0) {
    const key = heap.pop();
    const at = key % positions;
    const slot = slotAt(at);
    if (slot < 0 || pairs.rank(slot) !== Math.floor(key / positions)) continue; // has changed since
    if (rng.uniform() < dropout) {
      dropped.push(key);
      continue;
    }
    merged[at] = pairs.product(slot);
    const gone = next[at]!;
    merged[gone] = none;
    next[at] = next[gone]!;
    if (next[at] !== none) previous[next[at]!] = at;
    look(at);
    if (previous[at] !== none) look(previous[at]!);
    // the next step draws anew for what this one dropped
    for (const again of dropped) heap.push(again);
    dropped = [];
  }
  return merged.filter((symbol) => symbol !== none);
}
