/** @file Pairs that wait to be merged: the most frequent first, and among equals the one with the smaller ids. */

import { IntList } from "./int-list.js";

/** A binary heap of pairs, which are indices into the lists of their left and right symbols. */
export class PairQueue {
  readonly #left: IntList;
  readonly #right: IntList;
  readonly #heap = new IntList();
  /** By pair: its count when it was put in place. */
  readonly #counts: number[] = [];

  constructor(left: IntList, right: IntList) {
    this.#left = left;
    this.#right = right;
  }

  get size(): number {
    return this.#heap.length;
  }

  push(pair: number, count: number): void {
    this.#counts[pair] = count;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(pair);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(pair, heap.at(parent))) break;
      heap.set(at, heap.at(parent));
      at = parent;
    }
    heap.set(at, pair);
  }

  /** The first pair; the queue must not be empty. */
  top(): number {
    return this.#heap.at(0);
  }

  /** The count that the first pair was put in place with. */
  topCount(): number {
    return this.#counts[this.top()]!;
  }

  removeTop(): void {
    const last = this.#heap.at(--this.#heap.length);
    if (this.#heap.length > 0) this.#sink(last);
  }

  /** Puts the first pair where it belongs with a smaller count. */
  recountTop(count: number): void {
    this.#counts[this.top()] = count;
    this.#sink(this.top());
  }

  #sink(pair: number): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#isBefore(heap.at(child + 1), heap.at(child))) child++;
      if (!this.#isBefore(heap.at(child), pair)) break;
      heap.set(at, heap.at(child));
      at = child;
    }
    heap.set(at, pair);
  }

  #isBefore(a: number, b: number): boolean {
    const counts = this.#counts;
    if (counts[a] !== counts[b]) return counts[a]! > counts[b]!;
    const left = this.#left.at(a) - this.#left.at(b);
    return left !== 0 ? left < 0 : this.#right.at(a) < this.#right.at(b);
  }
}
