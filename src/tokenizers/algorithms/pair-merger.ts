/** @file Merges the symbols of a word, pair by pair, earliest rank first and leftmost among equals. */

import { MinHeap } from "./min-heap.js";
import { neverMerges, type PairTable } from "./pair-table.js";

/** Above this length a heap beats looking at every pair for each merge. */
const shortLength = 48;

/** A heap key orders by rank, then position: both fit in the 53 bits of a number. */
const positions = 2 ** 31;

export class PairMerger {
  readonly #pairs: PairTable;
  readonly #ranks = new Int32Array(shortLength);
  readonly #products = new Int32Array(shortLength);

  constructor(pairs: PairTable) {
    this.#pairs = pairs;
  }

  /** Merges the first `count` symbols in place; returns how many are left. O(n log n) in long words. */
  merge(symbols: Int32Array, count: number): number {
    return count <= shortLength ? this.#mergeShort(symbols, count) : this.#mergeLong(symbols, count);
  }

  #mergeShort(symbols: Int32Array, count: number): number {
    const ranks = this.#ranks;
    const products = this.#products;
    let length = count;
    for (let i = 0; i + 1 < length; i++) this.#look(i, symbols[i]!, symbols[i + 1]!, ranks, products);
    for (;;) {
      let best = neverMerges;
      let at = -1;
      for (let i = 0; i + 1 < length; i++) {
        if (ranks[i]! < best) {
          best = ranks[i]!;
          at = i;
        }
      }
      if (at < 0) return length;
      symbols[at] = products[at]!;
      length--;
      for (let i = at + 1; i < length; i++) {
        symbols[i] = symbols[i + 1]!;
        ranks[i] = ranks[i + 1]!;
        products[i] = products[i + 1]!;
      }
      if (at > 0) this.#look(at - 1, symbols[at - 1]!, symbols[at]!, ranks, products);
      if (at + 1 < length) this.#look(at, symbols[at]!, symbols[at + 1]!, ranks, products);
    }
  }

  #mergeLong(symbols: Int32Array, count: number): number {
    const ranks = new Int32Array(count);
    const products = new Int32Array(count);
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    const heap = new MinHeap(count);
    const look = (left: number, right: number): void => {
      this.#look(left, symbols[left]!, symbols[right]!, ranks, products);
      if (ranks[left] !== neverMerges) heap.push(ranks[left]! * positions + left);
    };
    for (let i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      if (i + 1 < count) look(i, i + 1);
      else ranks[i] = neverMerges;
    }
    while (heap.size > 0) {
      const key = heap.pop();
      const rank = Math.floor(key / positions);
      const at = key - rank * positions;
      if (ranks[at] !== rank) continue; // the pair that stood here has changed since
      symbols[at] = products[at]!;
      const gone = next[at]!;
      const after = next[gone]!;
      ranks[gone] = neverMerges;
      ranks[at] = neverMerges;
      next[at] = after;
      if (after < count) {
        previous[after] = at;
        look(at, after);
      }
      if (previous[at]! >= 0) look(previous[at]!, at);
    }
    let length = 0;
    for (let i = 0; i < count; i = next[i]!) symbols[length++] = symbols[i]!;
    return length;
  }

  #look(at: number, left: number, right: number, ranks: Int32Array, products: Int32Array): void {
    const slot = this.#pairs.find(left, right);
    if (slot < 0) {
      ranks[at] = neverMerges;
    } else {
      ranks[at] = this.#pairs.rank(slot);
      products[at] = this.#pairs.product(slot);
    }
  }
}
