/** @file Scored keys in falling order of score, sorted only as far as they are taken. */

/** A heap with the best entry on top. Making it is O(n), each entry taken O(log n). */
export class BestFirst {
  readonly #keys: Uint32Array;
  readonly #scores: Float32Array;
  #length: number;

  /** Takes over both arrays: the score of `keys[i]` is `scores[i]`, for the first `length` entries. */
  constructor(keys: Uint32Array, scores: Float32Array, length: number) {
    this.#keys = keys;
    this.#scores = scores;
    this.#length = length;
    for (let i = (length >> 1) - 1; i >= 0; i--) this.#siftDown(i, keys[i]!, scores[i]!);
  }

  get length(): number {
    return this.#length;
  }

  /** The best score that is left; -Infinity when nothing is. */
  get topScore(): number {
    return this.#length === 0 ? Number.NEGATIVE_INFINITY : this.#scores[0]!;
  }

  /** Takes the keys of up to `count` of the best entries out, best first. */
  take(count: number): number[] {
    return Array.from({ length: Math.min(count, this.#length) }, () => this.#pop());
  }

  #pop(): number {
    const top = this.#keys[0]!;
    const last = --this.#length;
    this.#siftDown(0, this.#keys[last]!, this.#scores[last]!);
    return top;
  }

  #siftDown(from: number, key: number, score: number): void {
    const keys = this.#keys;
    const scores = this.#scores;
    let at = from;
    for (let child = 2 * at + 1; child < this.#length; child = 2 * at + 1) {
      if (child + 1 < this.#length && scores[child + 1]! > scores[child]!) child++;
      if (score >= scores[child]!) break;
      keys[at] = keys[child]!;
      scores[at] = scores[child]!;
      at = child;
    }
    keys[at] = key;
    scores[at] = score;
  }
}
