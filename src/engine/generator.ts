/** @file One sequence at a time: prefill, then decode over a cache that grows in place. */

import { CapacityError, ConfigError } from "../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { checkLength, type LanguageModel } from "../nn/index.js";
import type { Feeds, Program, Runtime } from "../runtime/index.js";
import { decodeGraph, paddedHeadDim } from "./decode-graph.js";
import { checkSampling, Sampler, type SamplingOptions } from "./sampling/sampler.js";
import type { Weights } from "./weights.js";

export interface GenerateOptions extends Omit<SamplingOptions, "logprobs"> {
  /** Most tokens to generate. Default: until the context is full. */
  readonly maxTokens?: number;
  /** Ids that end the text; they are not given out. */
  readonly stopIds?: ReadonlySet<number>;
  /** Seed of sampling: equal seeds give equal tokens. Default 0. */
  readonly seed?: number;
  /** Ends the text before the next run of the model, also in the prompt and while others have their turn. */
  readonly signal?: AbortSignal;
}

export interface GeneratorOptions {
  /** Most tokens of prompt and text together. Default: the model's positions. */
  readonly contextLength?: number;
  /** Prompts are computed in pieces of this many tokens, so that memory does not grow with their square. Default 256. */
  readonly prefillTokens?: number;
}

/** A model ready to generate. One sequence runs at a time; others wait. */
export class Generator {
  readonly #model: LanguageModel;
  readonly #weights: Weights;
  readonly #program: Program;
  readonly #cache: Feeds;
  /** Tables of sequences up to a length, from the shortest on. */
  readonly #tables: readonly { readonly upTo: number; readonly feeds: Feeds }[];
  readonly #logits: HostTensor;
  readonly #prefillTokens: number;
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    model: LanguageModel,
    weights: Weights,
    program: Program,
    readonly contextLength: number,
    prefillTokens: number,
  ) {
    this.#model = model;
    this.#weights = weights;
    this.#program = program;
    this.#prefillTokens = prefillTokens;
    this.#logits = zeros("float32", [1, model.vocabSize]);
    const caches = model.caches.flatMap((spec, i) =>
      spec
        ? ["keys", "values"].map((name) => [
            `${name}.${i}`,
            zeros("float32", [1, spec.numKvHeads, contextLength, paddedHeadDim(spec.headDim)]),
          ])
        : [],
    );
    this.#cache = Object.fromEntries(caches);
    const change = model.tablesChangeAfter ?? contextLength;
    const lengths = change < contextLength ? [change, contextLength] : [contextLength];
    this.#tables = lengths.map((upTo) => ({
      upTo,
      feeds: Object.fromEntries(Object.entries(model.tables(upTo)).map(([name, table]) => [`table.${name}`, table])),
    }));
  }

  /** @throws ConfigError when an option is not a whole number from 1; CapacityError when the model cannot reach so far. */
  static async create(
    runtime: Runtime,
    model: LanguageModel,
    weights: Weights,
    { contextLength = model.maxPositions, prefillTokens = 256 }: GeneratorOptions = {},
  ): Promise<Generator> {
    for (const [name, value] of Object.entries({ contextLength, prefillTokens })) {
      if (!Number.isInteger(value) || value < 1)
        throw new ConfigError(`generator: ${name} must be a whole number from 1, got ${value}`);
    }
    checkLength(model, contextLength);
    const program = await runtime.compile(decodeGraph(model, weights));
    return new Generator(model, weights, program, contextLength, prefillTokens);
  }

  /**
   * Generates token ids after `prompt`, one by one.
   * @throws ConfigError for options out of range or an empty prompt; CapacityError when the prompt fills the context.
   */
  async *generate(prompt: Int32Array, options: GenerateOptions = {}): AsyncGenerator<number> {
    checkSampling(options);
    this.#checkPrompt(prompt);
    if (prompt.length >= this.contextLength) {
      throw new CapacityError(
        `the prompt has ${prompt.length} tokens, but the context holds ${this.contextLength} with at least one to generate`,
      );
    }
    const release = await this.#takeTurn();
    try {
      yield* this.#decode(prompt, options);
    } finally {
      release();
    }
  }

  /**
   * Logits [V] of the token after `prompt`, computed over the cache as generation does.
   * @throws ConfigError for an empty prompt or ids outside the vocabulary; CapacityError when it exceeds the context.
   */
  async logitsAfter(prompt: Int32Array): Promise<Float32Array> {
    this.#checkPrompt(prompt);
    if (prompt.length > this.contextLength) {
      throw new CapacityError(`the prompt has ${prompt.length} tokens, but the context holds ${this.contextLength}`);
    }
    const release = await this.#takeTurn();
    try {
      await this.#prefill(prompt, undefined);
      return (this.#logits.data as Float32Array).slice();
    } finally {
      release();
    }
  }

  #checkPrompt(prompt: Int32Array): void {
    if (prompt.length === 0) throw new ConfigError("the prompt has no tokens; begin with the model's start token");
    const outside = prompt.find((id) => !(id >= 0 && id < this.#model.vocabSize));
    if (outside !== undefined)
      throw new ConfigError(`token id ${outside} is outside the vocabulary of ${this.#model.vocabSize}`);
  }

  /** Waits until no other sequence runs; the function that it gives ends the turn. */
  async #takeTurn(): Promise<() => void> {
    const previous = this.#turn;
    let release = (): void => {};
    this.#turn = new Promise((resolve) => {
      release = resolve;
    });
    await previous;
    return release;
  }

  /** Runs a text from its start, in pieces, until `signal` is aborted. */
  async #prefill(text: Int32Array, signal: AbortSignal | undefined): Promise<void> {
    const piece = this.#prefillTokens;
    const tables = this.#tablesFor(text.length);
    for (let start = 0; start < text.length && !signal?.aborted; start += piece) {
      await this.#run(text.subarray(start, start + piece), start, tables);
    }
  }

  #tablesFor(length: number): Feeds {
    return this.#tables.find(({ upTo }) => length <= upTo)!.feeds;
  }

  async *#decode(prompt: Int32Array, options: GenerateOptions): AsyncGenerator<number> {
    const { maxTokens = Number.POSITIVE_INFINITY, stopIds = new Set(), seed = 0, signal } = options;
    const sampler = new Sampler(options, { vocabSize: this.#model.vocabSize, stopIds, prompt, seed });
    const text = [...prompt];
    await this.#prefill(prompt, signal);
    for (let count = 0; count < maxTokens && !signal?.aborted; count++) {
      const { id } = sampler.next(this.#logits.data as Float32Array);
      if (stopIds.has(id)) return;
      yield id;
      if (text.length === this.contextLength) return;
      const before = this.#tablesFor(text.length);
      const tables = this.#tablesFor(text.push(id));
      // keys in the cache were turned by the tables of shorter texts
      if (tables !== before) await this.#prefill(Int32Array.from(text), signal);
      else await this.#run([id], text.length - 1, tables);
    }
  }

  /** Runs new tokens at position `start`; leaves the last one's logits. */
  async #run(ids: ArrayLike<number>, start: number, tables: Feeds): Promise<void> {
    const count = ids.length;
    const x = zeros("float32", [1, count, this.#model.hiddenSize]);
    this.#weights.embed(ids, x.data as Float32Array);
    const positions = BigInt64Array.from({ length: count }, (_, i) => BigInt(start + i));
    const feeds: Feeds = {
      x,
      positions: hostTensor("int64", [1, count], positions),
      rows: hostTensor("int64", [1], BigInt64Array.of(BigInt(count - 1))),
      last: hostTensor("int32", [1], Int32Array.of(start + count - 1)),
      total: hostTensor("int32", [], Int32Array.of(start + count)),
      ...tables,
      ...this.#cache,
    };
    const caches = Object.entries(this.#cache).map(([name, tensor]) => [
      name.replace("keys", "newKeys").replace("values", "newValues"),
      tensor,
    ]);
    await this.#program.run(feeds, { logits: this.#logits, ...Object.fromEntries(caches) });
  }
}
