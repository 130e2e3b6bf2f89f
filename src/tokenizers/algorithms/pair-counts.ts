/** @file How often neighbouring symbols occur in weighted words, kept up to date while pairs of them merge. */

import { IntList } from "./int-list.js";
import { PairQueue } from "./pair-queue.js";
import { PairTable } from "./pair-table.js";

/** A pair to merge. */
export interface FrequentPair {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

const gone = -1;
const none = -1;

/**
 * Words are linked lists of symbols, and each pair has a list of its places, so that a merge touches nothing else.
 * What happens inside a token does not depend on what surrounds it, so that each token has one pair that makes it, and
 * all places of a pair come about in one merge: the later one of the two that made its symbols.
 */
export class PairCounts {
  readonly #symbols = new IntList(1 << 16);
  /** By place: how often its word occurs. */
  readonly #weights = new IntList(1 << 16);
  readonly #wordEnds = new IntList();
  #next = new Int32Array();
  #previous = new Int32Array();

  /** From left and right symbol to the pair's index in the lists below. */
  readonly #pairs = new PairTable(1 << 16);
  readonly #left = new IntList();
  readonly #right = new IntList();
  readonly #counts: number[] = [];
  /** First and last node of the list of places; the nodes of all pairs lie in one pool. */
  readonly #firstNode = new IntList();
  readonly #lastNode = new IntList();
  readonly #nodePlace = new IntList(1 << 16);
  readonly #nodeNext = new IntList(1 << 16);

  /** Pairs that have come about since the last `#enqueue`. */
  readonly #found = new IntList();
  readonly #queue = new PairQueue(this.#left, this.#right);

  /** Appends a symbol to the word that is being built. */
  addSymbol(id: number): void {
    this.#symbols.push(id);
  }

  /** Ends the word, which occurs `weight` times. */
  endWord(weight: number): void {
    while (this.#weights.length < this.#symbols.length) this.#weights.push(weight);
    this.#wordEnds.push(this.#symbols.length);
  }

  /** Counts the pairs of all words; call once, after the last word. */
  countAll(): void {
    const length = this.#symbols.length;
    this.#next = Int32Array.from({ length }, (_, i) => i + 1);
    this.#previous = Int32Array.from({ length }, (_, i) => i - 1);
    let start = 0;
    for (let word = 0; word < this.#wordEnds.length; word++) {
      const end = this.#wordEnds.at(word);
      this.#previous[start] = none;
      this.#next[end - 1] = none;
      for (let i = start; i + 1 < end; i++) this.#add(this.#symbols.at(i), this.#symbols.at(i + 1), i);
      start = end;
    }
    this.#enqueue();
  }

  /** The pair to merge next, or undefined when there is none. */
  mostFrequent(): FrequentPair | undefined {
    while (this.#queue.size > 0) {
      const pair = this.#queue.top();
      const count = this.#counts[pair]!;
      if (count === this.#queue.topCount()) return { left: this.#left.at(pair), right: this.#right.at(pair), count };
      this.#queue.recountTop(count); // other merges have taken some of its places
    }
    return undefined;
  }

  /** Replaces the pair that `mostFrequent` has just given by the symbol `product`. */
  merge({ left, right }: FrequentPair, product: number): void {
    const pair = this.#queue.top();
    this.#queue.removeTop();
    // in order of place, so that of overlapping pairs (a a a) the left one merges
    for (let node = this.#firstNode.at(pair); node !== none; node = this.#nodeNext.at(node)) {
      this.#mergeAt(this.#nodePlace.at(node), left, right, product);
    }
    this.#enqueue();
  }

  #mergeAt(at: number, left: number, right: number, product: number): void {
    const symbols = this.#symbols;
    const second = this.#next[at]!;
    if (symbols.at(at) !== left || second === none || symbols.at(second) !== right) return;
    const before = this.#previous[at]!;
    const after = this.#next[second]!;
    if (before !== none) {
      this.#remove(symbols.at(before), left, at);
      this.#add(symbols.at(before), product, before);
    }
    symbols.set(at, product);
    symbols.set(second, gone);
    this.#next[at] = after;
    if (after !== none) {
      this.#previous[after] = at;
      this.#remove(right, symbols.at(after), at);
      this.#add(product, symbols.at(after), at);
    }
  }

  #remove(left: number, right: number, at: number): void {
    this.#counts[this.#index(left, right)]! -= this.#weights.at(at);
  }

  #add(left: number, right: number, at: number): void {
    const pair = this.#index(left, right);
    this.#counts[pair]! += this.#weights.at(at);
    const node = this.#nodePlace.length;
    this.#nodePlace.push(at);
    this.#nodeNext.push(none);
    if (this.#firstNode.at(pair) === none) {
      this.#firstNode.set(pair, node);
      this.#found.push(pair);
    } else {
      this.#nodeNext.set(this.#lastNode.at(pair), node);
    }
    this.#lastNode.set(pair, node);
  }

  #enqueue(): void {
    for (let i = 0; i < this.#found.length; i++) {
      const pair = this.#found.at(i);
      if (this.#counts[pair]! > 0) this.#queue.push(pair, this.#counts[pair]!);
    }
    this.#found.clear();
  }

  #index(left: number, right: number): number {
    const slot = this.#pairs.find(left, right);
    if (slot >= 0) return this.#pairs.product(slot);
    const pair = this.#counts.push(0) - 1;
    this.#pairs.set(left, right, 0, pair);
    this.#left.push(left);
    this.#right.push(right);
    this.#firstNode.push(none);
    this.#lastNode.push(none);
    return pair;
  }
}
