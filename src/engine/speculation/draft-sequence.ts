/** @file One sequence as the draft model knows it. */

import type { CachedSequence } from "../cache/cache.js";
import type { Running } from "../runner.js";

export class DraftSequence implements Running {
  /** Tokens whose rows are in the cache. */
  #known: readonly number[];
  #text: readonly number[] = [];

  constructor(
    readonly cached: CachedSequence,
    readonly variant: number,
    text: readonly number[],
  ) {
    this.#known = text.slice(0, cached.length);
  }

  /** Tokens that must be computed before the next can be proposed. */
  get numPending(): number {
    return this.#text.length - this.cached.length;
  }

  /** The text goes on, or goes on otherwise than was proposed: at least its last token is to be computed. */
  follow(text: readonly number[]): void {
    const most = Math.min(this.#known.length, text.length - 1);
    let length = 0;
    while (length < most && this.#known[length] === text[length]) length++;
    if (length < this.cached.length) this.cached.truncate(length);
    this.#text = text;
  }

  upcoming(count: number): readonly number[] {
    return this.#text.slice(this.cached.length, this.cached.length + count);
  }

  /** Must be called once upcoming tokens were computed. */
  computed(): void {
    this.#known = this.#text.slice(0, this.cached.length);
  }
}
