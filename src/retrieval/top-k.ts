/** @file The k best of many scored keys, in O(log k) each. */

export interface Scored {
  readonly key: number;
  readonly score: number;
}

/** A heap with the worst kept entry on top. Of equal scores the smaller key is better, so results do not depend on the order of pushes. */
export class TopK {
  readonly #k: number;
  readonly #keys: number[] = [];
  readonly #scores: number[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  /** What a score must reach to get in. */
  get threshold(): number {
    return this.#keys.length < this.#k ? Number.NEGATIVE_INFINITY : this.#scores[0]!;
  }

  push(key: number, score: number): void {
    if (this.#keys.length < this.#k) this.#siftUp(key, score);
    else if (!this.#isWorse(key, score, 0)) this.#siftDown(key, score);
  }

  /** Best first. */
  sorted(): Scored[] {
    const entries = this.#keys.map((key, i) => ({ key, score: this.#scores[i]! }));
    return entries.sort((a, b) => b.score - a.score || a.key - b.key);
  }

  #isWorse(key: number, score: number, than: number): boolean {
    const other = this.#scores[than]!;
    return score < other || (score === other && key > this.#keys[than]!);
  }

  #put(at: number, key: number, score: number): void {
    this.#keys[at] = key;
    this.#scores[at] = score;
  }

  #siftUp(key: number, score: number): void {
    let at = this.#keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isWorse(key, score, parent)) break;
      this.#put(at, this.#keys[parent]!, this.#scores[parent]!);
      at = parent;
    }
    this.#put(at, key, score);
  }

  #siftDown(key: number, score: number): void {
    const length = this.#keys.length;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < length && this.#isWorse(this.#keys[right]!, this.#scores[right]!, child)) child = right;
      if (this.#isWorse(key, score, child)) break;
      this.#put(at, this.#keys[child]!, this.#scores[child]!);
      at = child;
    }
    this.#put(at, key, score);
  }
}
