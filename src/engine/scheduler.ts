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
  /** Those whose prompts are still to come, with less than a piece to compute. They keep their places. */
  readonly #awaiting: Sequence[] = [];
  #preemptions = 0;

  constructor(
    private readonly cache: KvCache,
    private readonly tables: Pick<PositionTables, "variantOf">,
    private readonly limits: { readonly maxSequences: number; readonly prefillTokens: number },
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
    fillGap(this.#awaiting, sequence);
  }

  /** Puts a running sequence back among those that wait; its text is computed anew later. */
  requeue(sequence: Sequence): void {
    this.remove(sequence);
    this.add(sequence);
  }

  /**
   * The next piece of a prompt. Admits whom memory allows once no prompt is unfinished. Pieces end at multiples of
   * `prefillTokens`, whoever else runs and however the prompt comes, so that equal prompts are computed in equal steps and
   * give equal bits.
   */
  nextPrefill(): { readonly sequence: Sequence; readonly count: number } | undefined {
    while (!this.#prefilling && (this.#takeFed() || this.#admitFirst()));
    const sequence = this.#prefilling;
    if (!sequence) return undefined;
    const count = this.#pieceOf(sequence);
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
    if (this.#prefilling !== sequence) return;
    this.#prefilling = undefined;
    this.#place(sequence);
  }

  #running(): Sequence[] {
    return [...this.#decoding, ...this.#awaiting, ...(this.#prefilling ? [this.#prefilling] : [])];
  }

  /** Tokens that can be computed at once; none where more of the prompt is to come before there is a whole piece. */
  #pieceOf(sequence: Sequence): number {
    const { prefillTokens } = this.limits;
    const piece = prefillTokens - (sequence.cached!.length % prefillTokens);
    // the last token of a text that goes on is computed with those of others, where something may be proposed to follow it
    if (!sequence.isPromptOpen)
      return Math.min(Math.max(1, sequence.pendingTokens - Number(sequence.generatedTokens > 0)), piece);
    // the last token is left, since the next one is chosen behind it
    return sequence.pendingTokens > piece ? piece : 0;
  }

  /** Puts a sequence that has its place in the cache where its next step is found. */
  #place(sequence: Sequence): void {
    if (this.#pieceOf(sequence) === 0) this.#awaiting.push(sequence);
    else if (sequence.isPromptOpen || sequence.pendingTokens > 1) this.#prefilling = sequence;
    else this.#decoding.push(sequence);
  }

  /** Goes on with one whose prompt has come further; asks for more where none has. */
  #takeFed(): boolean {
    const fed = this.#awaiting.find((sequence) => this.#pieceOf(sequence) > 0);
    if (!fed) {
      for (const { onWanted } of this.#awaiting) onWanted();
      return false;
    }
    fillGap(this.#awaiting, fed);
    this.#place(fed);
    return true;
  }

  /** Lets in the one that came first, if memory allows. */
  #admitFirst(): boolean {
    // of a prompt that is to come there may be nothing yet
    const sequence = this.#waiting.find(({ ids }) => ids.length > 0);
    const running = this.#running();
    if (!sequence || running.length === this.limits.maxSequences) return false;
    const expected = [sequence, ...running].reduce((sum, { remainingTokens }) => sum + remainingTokens, 0);
    const variant = this.tables.variantOf(sequence.ids.length);
    // alone it need not leave room: it can use all there is
    const reserveTokens = running.length === 0 ? 0 : expected;
    // keys and values depend on the adapter, and on which of two tables turned them
    const kind = 2 * (sequence.adapter?.serial ?? 0) + variant;
    const start = sequence.ids.slice(0, sequence.reusableTokens + 1);
    const rest = sequence.ids.length - start.length;
    const cached = this.cache.open(start, { variant: kind, reserveTokens: reserveTokens + rest });
    assert(cached || running.length > 0, "an empty cache has room for any sequence");
    if (!cached) return false;
    this.#waiting.splice(this.#waiting.indexOf(sequence), 1);
    sequence.cached = cached;
    sequence.variant = variant;
    if (sequence.cachedTokens < 0) sequence.cachedTokens = cached.length;
    this.#place(sequence);
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
