/** @file Runs a draft model over the texts of another: its own cache, brought up to date when it is asked. */

import type { LanguageModel } from "../../nn/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { KvCache } from "../cache/cache.js";
import { contiguous } from "../cache/contiguous.js";
import { PositionTables } from "../position-tables.js";
import { Runner } from "../runner.js";
import { stepGraph } from "../step-graph.js";
import type { Weights } from "../weights.js";
import { DraftSequence } from "./draft-sequence.js";

export interface DraftRunnerOptions {
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly prefillTokens: number;
}

export class DraftRunner {
  readonly #cache: KvCache;
  readonly #tables: PositionTables;
  readonly #runner: Runner;
  readonly #sequences = new Map<object, DraftSequence>();

  private constructor(
    cache: KvCache,
    tables: PositionTables,
    runner: Runner,
    private readonly options: DraftRunnerOptions,
  ) {
    this.#cache = cache;
    this.#tables = tables;
    this.#runner = runner;
  }

  /** @throws CapacityError when its cache fits no memory. */
  static async open(
    runtime: Runtime,
    { model, weights }: { readonly model: LanguageModel; readonly weights: Weights },
    options: DraftRunnerOptions,
  ): Promise<DraftRunner> {
    const cache = contiguous.create(model, options);
    const program = await runtime.compile(stepGraph(model, weights, cache.attention));
    const tables = new PositionTables(model, cache.numPositions);
    return new DraftRunner(cache, tables, new Runner(model, weights, program, cache, tables), options);
  }

  /** Gives up the places of all sequences but these. */
  keepOnly(sequences: ReadonlySet<object>): void {
    for (const [key, draft] of this.#sequences) {
      if (sequences.has(key)) continue;
      draft.cached.close();
      this.#sequences.delete(key);
    }
  }

  /** Logits [V] after each text; those of the one before are void. A text must be no longer than the context. */
  async logits(
    texts: readonly { readonly sequence: object; readonly ids: readonly number[] }[],
  ): Promise<readonly Float32Array[]> {
    const drafts = texts.map(({ sequence, ids }) => this.#following(sequence, ids));
    const isStep = drafts.every(({ numPending }) => numPending === 1);
    if (isStep) return this.#run(drafts, 1);
    const logits: Float32Array[] = [];
    for (const draft of drafts) logits.push((await this.#catchUp(draft)).slice());
    return logits;
  }

  close(): void {
    this.keepOnly(new Set());
    this.#runner.close();
  }

  /** The place of a sequence, with all that is known of its text. */
  #following(key: object, ids: readonly number[]): DraftSequence {
    const variant = this.#tables.variantOf(ids.length);
    let draft = this.#sequences.get(key);
    if (draft?.variant !== variant) {
      draft?.cached.close();
      // there are as many places as sequences that run
      draft = new DraftSequence(this.#cache.open(ids, { variant, reserveTokens: 0 })!, variant, ids);
      this.#sequences.set(key, draft);
    }
    draft.follow(ids);
    return draft;
  }

  async #catchUp(draft: DraftSequence): Promise<Float32Array> {
    for (;;) {
      const count = Math.min(draft.numPending, this.options.prefillTokens);
      const [logits] = await this.#run([draft], count);
      if (draft.numPending === 0) return logits!;
    }
  }

  async #run(drafts: readonly DraftSequence[], count: number): Promise<Float32Array[]> {
    for (const { cached } of drafts) cached.reserve(cached.length + count);
    const logits = await this.#runner.run(drafts, count);
    for (const draft of drafts) draft.computed();
    return logits;
  }
}
