/** @file Which pairs of tokens merge, how early, and into what: an open-addressing table from (left, right) to (rank, product). */

/** The rank of a pair that does not merge: later than all that do. */
export const neverMerges = 0x7fffffff;

/** Four integers per slot, so that a lookup touches one cache line: left (-1 when empty), right, rank, product. */
const stride = 4;

export class PairTable {
  #slots: Int32Array;
  #mask: number;
  #size = 0;

  /** @param expectedPairs with room for so many; more make the table grow. */
  constructor(expectedPairs: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expectedPairs * 2)));
    this.#slots = new Int32Array(capacity * stride).fill(-1);
    this.#mask = capacity - 1;
  }

  /** A pair set twice keeps the later values, as a list of merges read into a map does. */
  set(left: number, right: number, rank: number, product: number): void {
    let slot = this.#probe(left, right);
    if (this.#slots[slot] === -1) {
      if (this.#size * 2 > this.#mask) {
        this.#grow();
        slot = this.#probe(left, right);
      }
      this.#size++;
    }
    this.#slots[slot] = left;
    this.#slots[slot + 1] = right;
    this.#slots[slot + 2] = rank;
    this.#slots[slot + 3] = product;
  }

  /** Place of a pair, for `rank` and `product`; -1 when it does not merge. */
  find(left: number, right: number): number {
    const slot = this.#probe(left, right);
    return this.#slots[slot] === -1 ? -1 : slot;
  }

  rank(slot: number): number {
    return this.#slots[slot + 2]!;
  }

  product(slot: number): number {
    return this.#slots[slot + 3]!;
  }

  /** All pairs as left and right, earliest first. */
  byRank(): [left: number, right: number][] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#slots.length; slot += stride) if (this.#slots[slot] !== -1) slots.push(slot);
    slots.sort((a, b) => this.rank(a) - this.rank(b));
    return slots.map((slot) => [this.#slots[slot]!, this.#slots[slot + 1]!]);
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2).fill(-1);
    this.#mask = this.#mask * 2 + 1;
    for (let slot = 0; slot < old.length; slot += stride) {
      if (old[slot] === -1) continue;
      this.#slots.set(old.subarray(slot, slot + stride), this.#probe(old[slot]!, old[slot + 1]!));
    }
  }

  #probe(left: number, right: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = at * stride;
      if ((slots[slot] === left && slots[slot + 1] === right) || slots[slot] === -1) return slot;
    }
  }
}
