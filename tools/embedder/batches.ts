/** @file Batches of pairs: some passages of a document together, so that its sections are told apart, not subjects alone. */

import type { Rng } from "../../src/base/rng.js";
import type { Pair, PairSampler } from "./pairs.js";
import type { Passages } from "./passages.js";

/** Passages of a document that are drawn with one. */
const SIBLINGS = 3;
/** Share of draws that are of Chinese documents besides those that chance gives, which are a ninth of all. */
const MORE_CHINESE = 0.13;

export class BatchSampler {
  readonly #chinese: readonly number[];
  /** First passage of each document, and the end of the last. */
  readonly #firsts: Uint32Array;

  constructor(
    private readonly passages: Passages,
    private readonly pairs: PairSampler,
    private readonly rng: Rng,
  ) {
    const { documents, titles, isChinese } = passages;
    const count = documents.length;
    this.#chinese = [...documents.keys()].filter((p) => isChinese[documents[p]!]);
    this.#firsts = new Uint32Array(titles.length + 1).fill(count);
    for (let p = count - 1; p >= 0; p--) this.#firsts[documents[p]!] = p;
    for (let d = titles.length - 1; d >= 0; d--) {
      this.#firsts[d] = Math.min(this.#firsts[d]!, this.#firsts[d + 1]!);
    }
  }

  /** `size` pairs of different passages and with different queries. */
  next(size: number): Pair[] {
    const batch: Pair[] = [];
    const seen = new Set<number>();
    const queries = new Set<string>();
    while (batch.length < size) {
      for (const p of this.#draw()) {
        if (batch.length === size || seen.has(p)) continue;
        const pair = this.pairs.pair(p);
        const query = `${pair?.query}`;
        if (!pair || queries.has(query)) continue;
        queries.add(query);
        seen.add(p);
        batch.push(pair);
      }
    }
    return batch;
  }

  #draw(): number[] {
    const count = this.passages.documents.length;
    const isChinese = this.rng.uniform() < MORE_CHINESE;
    const first = isChinese ? this.#chinese[this.rng.below(this.#chinese.length)]! : this.rng.below(count);
    const document = this.passages.documents[first]!;
    const [low, high] = [this.#firsts[document]!, this.#firsts[document + 1]!];
    return [first, ...Array.from({ length: SIBLINGS }, () => low + this.rng.below(high - low))];
  }
}
