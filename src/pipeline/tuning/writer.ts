/** @file What a model under training writes after prompts: greedy texts, with its parameters as they are. */

import type { HostTensor } from "../../base/host-tensor.js";
import { type Constraint, Engine, LiveWeights } from "../../engine/index.js";
import { type Tuning, withVirtualTokens } from "../../peft/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";

export interface WriteOptions {
  /** Most tokens of a text. */
  readonly numTokens: number;
  readonly constraint?: Constraint;
}

/** Texts that are written at once take at most this much for keys and values, or what one of them needs. */
const CACHE_BYTES = 32 * 2 ** 20;
const MOST_AT_ONCE = 8;

export class Writer {
  constructor(
    private readonly runtime: Runtime,
    private readonly tuning: Tuning,
    private readonly parameters: ReadonlyMap<string, HostTensor>,
    private readonly tokenizer: Tokenizer,
    private readonly stopIds: ReadonlySet<number>,
    /** Ends texts before their next token. */
    private readonly signal: AbortSignal = new AbortController().signal,
  ) {}

  /** Most ids of prompt and text together. */
  get mostTokens(): number {
    return this.tuning.model.maxPositions - this.tuning.numVirtualTokens;
  }

  /** The texts after prompts; a constraint's text that is unfinished after `numTokens` stays so. */
  async write(prompts: readonly ArrayLike<number>[], options: WriteOptions): Promise<string[]> {
    // one program reads all weights
    return prompts.length === 0 ? [] : this.runtime.outside(() => this.#write(prompts, options));
  }

  async #write(prompts: readonly ArrayLike<number>[], { numTokens, constraint }: WriteOptions): Promise<string[]> {
    const { model } = this.tuning;
    const contextLength = Math.min(
      model.maxPositions,
      this.tuning.numVirtualTokens + numTokens + Math.max(...prompts.map(({ length }) => length)),
    );
    // an engine for each time: what it keeps of prompts is of the parameters as they were
    await using engine = await Engine.create(this.runtime, model, new LiveWeights(model, this.parameters), {
      contextLength,
      maxSequences: this.#atOnce(contextLength),
    });
    const { stopIds, signal } = this;
    const options = { maxTokens: numTokens, stopIds, signal, ...(constraint && { constraint }) };
    // awaited here, or the engine would be closed first
    return await Promise.all(
      prompts.map(async (prompt) => {
        const ids: number[] = [];
        for await (const { id } of engine.generate(withVirtualTokens(this.tuning, prompt), options)) ids.push(id);
        return this.tokenizer.decode(ids);
      }),
    );
  }

  #atOnce(contextLength: number): number {
    const bytes = this.tuning.model.caches.reduce(
      (sum, cache) => sum + (cache ? 2 * 4 * cache.numKvHeads * cache.headDim * contextLength : 0),
      0,
    );
    return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(CACHE_BYTES / bytes)));
  }
}
