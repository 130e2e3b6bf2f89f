/** @file Who runs next: admission and pre-emption by memory, prompts in pieces, first come first served. */

import { assert } from "../base/errors.js";
import type { KvCache } from "./cache/cache.js";
import type { PositionTables } from "./position-tables.js";
import type { Sequence } from "./sequence.js";

/**
 * Sequences wait in the order of arrival, and no later one is admitted before an earlier one. One prompt is computed at a
 * time, so that the next finds in the cache what it shares with those before. When memory runs out, the one that came last
 * gives up its place and waits again, to be computed anew (vLLM, Kwon et al. 2023, arXiv:2309.06180, section 4.5); so the
 * first always gets on, and with it, in time, all.
 */
export class Scheduler {
  /** By order of arrival. */
  readonly #waiting: Sequence[] = [];
  /** The one with more than one token to compute. */
  #prefilling: Sequence | undefined;
  /** Those with one. Places are kept, since they are places in memory. */
  readonly #decoding: Sequence[] = [];
  #preemptions = 0;

  constructor(
    private readonly cache: KvCache,
    private readonly tables: Pick<PositionTables, "variantOf">,
    private readonly maxSequences: number,
  ) {}

  get numWaiting(): number {
    return this.#waiting.length;
  }

  get numRunning(): number {
    return this.#running().length;
  }

  get preemptions(): number {
    return this.#preemptions;
  }

  get sequences(): Sequence[] {
    return [...this.#waiting, ...this.#running()];
  }

  add(sequence: Sequence): void {
    const after = this.#waiting.findIndex(({ order }) => order > sequence.order);
    this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, sequence);
  }

  /** Takes a sequence out, wherever it is, and frees its memory. */
  remove(sequence: Sequence): void {
    sequence.cached?.close();
    sequence.cached = undefined;
    const waiting = this.#waiting.indexOf(sequence);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    if (this.#prefilling === sequence) this.#prefilling = undefined;
    fillGap(this.#decoding, sequence);
  }

  /** Puts a running sequence back among those that wait; its text is computed anew later. */
  requeue(sequence: Sequence): void {
    this.remove(sequence);
    this.add(sequence);
  }

  /** The next piece of a prompt, of at most `budget` tokens. Admits whom memory allows once no prompt is unfinished. */
  nextPrefill(budget: number): { readonly sequence: Sequence; readonly count: number } | undefined {
    while (!this.#prefilling && this.#admitFirst());
    const sequence = this.#prefilling;
    if (!sequence) return undefined;
    // the last token of a text that goes on is computed with those of others, where something may be proposed to follow it
    const needed = sequence.pendingTokens - Number(sequence.generatedTokens > 0);
    const count = Math.min(needed, budget);
    return this.#makeRoom(sequence, sequence.cached!.length + count) ? { sequence, count } : undefined;
  }

  /** All that have one token to compute, with room for it. */
  nextDecode(): readonly Sequence[] {
    const byAge = [...this.#decoding].sort((a, b) => a.order - b.order);
    for (const sequence of byAge) if (sequence.cached) this.#makeRoom(sequence, sequence.ids.length);
    return [...this.#decoding];
  }

  /** Must be called for the sequence of a prefill once its piece is computed and, at the prompt's end, a token chosen. */
  advanced(sequence: Sequence): void {
    if (this.#prefilling !== sequence || sequence.pendingTokens > 1) return;
    this.#prefilling = undefined;
    this.#decoding.push(sequence);
  }

  #running(): Sequence[] {
    return this.#prefilling ? [...this.#decoding, this.#prefilling] : [...this.#decoding];
  }

  /** Lets in the one that came first, if memory allows. */
  #admitFirst(): boolean {
    const sequence = this.#waiting[0];
    const running = this.#running();
    if (!sequence || running.length === this.maxSequences) return false;
    const expected = [sequence, ...running].reduce((sum, { remainingTokens }) => sum + remainingTokens, 0);
    const variant = this.tables.variantOf(sequence.ids.length);
    // alone it need not leave room: it can use all there is
    const reserveTokens = running.length === 0 ? 0 : expected;
    // keys and values depend on the adapter, and on which of two tables turned them
    const open = { variant: 2 * (sequence.adapter?.serial ?? 0) + variant, reserveTokens };
    const cached = this.cache.open(sequence.ids, open);
    assert(cached || running.length > 0, "an empty cache has room for any sequence");
    if (!cached) return false;
    this.#waiting.shift();
    sequence.cached = cached;
    sequence.variant = variant;
    if (sequence.cachedTokens < 0) sequence.cachedTokens = cached.length;
    if (sequence.pendingTokens > 1) this.#prefilling = sequence;
    else this.#decoding.push(sequence);
    return true;
  }

  /** Takes places from the last who came until there is room. False where that was `sequence` itself. */
  #makeRoom(sequence: Sequence, length: number): boolean {
    while (!sequence.cached!.reserve(length)) {
      const last = this.#running().reduce((a, b) => (a.order > b.order ? a : b));
      assert(last !== sequence || this.numRunning > 1, "a sequence that runs alone has room");
      this.#preemptions++;
      // it was expected to need less: S3's correction (Jin et al. 2023, arXiv:2306.06000, section 3.2)
      last.predictedTokens = Math.max(last.predictedTokens, 2 * last.generatedTokens);
      this.requeue(last);
      if (last === sequence) return false;
    }
    return true;
  }
}

/** The last takes the place of the one that leaves, so that one place changes and not all behind it. */
function fillGap(list: Sequence[], sequence: Sequence): void {
  const at = list.indexOf(sequence);
  if (at < 0) return;
  const last = list.pop()!;
  if (last !== sequence) list[at] = last;
}
