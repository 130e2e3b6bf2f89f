/** @file One sequence at a time: prefill, then decode over a cache that grows in place. */

import { CapacityError, ConfigError } from "../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import type { LanguageModel } from "../nn/index.js";
import type { Feeds, Program, Runtime } from "../runtime/index.js";
import { decodeGraph, paddedHeadDim } from "./decode-graph.js";
import { checkSampling, type SamplingOptions, sample } from "./sampling/sampler.js";
import type { Weights } from "./weights.js";

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to generate. Default: until the context is full. */
  readonly maxTokens?: number;
  /** Ids that end the text; they are not given out. */
  readonly stopIds?: ReadonlySet<number>;
  /** Seed of sampling: equal seeds give equal tokens. Default 0. */
  readonly seed?: number;
  /** Ends the text before the next run of the model, also in the prompt and while others have their turn. */
  readonly signal?: AbortSignal;
}

/** Prompts are computed in pieces of this many tokens, so that memory does not grow with their square. */
const PREFILL_TOKENS = 256;

/** A model ready to generate. One sequence runs at a time; others wait. */
export class Generator {
  readonly #model: LanguageModel;
  readonly #weights: Weights;
  readonly #program: Program;
  readonly #cache: Feeds;
  readonly #tables: Feeds;
  readonly #logits: HostTensor;
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    model: LanguageModel,
    weights: Weights,
    program: Program,
    readonly contextLength: number,
  ) {
    this.#model = model;
    this.#weights = weights;
    this.#program = program;
    this.#logits = zeros("float32", [model.vocabSize]);
    const caches = model.caches.flatMap(({ numKvHeads, headDim }, i) =>
      ["keys", "values"].map((name) => [
        `${name}.${i}`,
        zeros("float32", [1, numKvHeads, contextLength, paddedHeadDim(headDim)]),
      ]),
    );
    this.#cache = Object.fromEntries(caches);
    this.#tables = Object.fromEntries(
      Object.entries(model.tables(contextLength)).map(([name, table]) => [`table.${name}`, table]),
    );
  }

  static async create(
    runtime: Runtime,
    model: LanguageModel,
    weights: Weights,
    { contextLength = model.maxPositions }: { readonly contextLength?: number } = {},
  ): Promise<Generator> {
    return new Generator(model, weights, await runtime.compile(decodeGraph(model, weights)), contextLength);
  }

  /**
   * Generates token ids after `prompt`, one by one.
   * @throws ConfigError for options out of range or an empty prompt; CapacityError when the prompt fills the context.
   */
  async *generate(prompt: Int32Array, options: GenerateOptions = {}): AsyncGenerator<number> {
    checkSampling(options);
    if (prompt.length === 0) throw new ConfigError("the prompt has no tokens; begin with the model's start token");
    if (prompt.length >= this.contextLength) {
      throw new CapacityError(
        `the prompt has ${prompt.length} tokens, but the context holds ${this.contextLength} with at least one to generate`,
      );
    }
    const outside = prompt.find((id) => !(id >= 0 && id < this.#model.vocabSize));
    if (outside !== undefined)
      throw new ConfigError(`token id ${outside} is outside the vocabulary of ${this.#model.vocabSize}`);
    const previous = this.#turn;
    let release = (): void => {};
    this.#turn = new Promise((resolve) => {
      release = resolve;
    });
    await previous;
    try {
      yield* this.#decode(prompt, options);
    } finally {
      release();
    }
  }

  async *#decode(prompt: Int32Array, options: GenerateOptions): AsyncGenerator<number> {
    const { maxTokens = Number.POSITIVE_INFINITY, stopIds, seed = 0, signal } = options;
    const rng = new Rng(seed);
    let length = 0;
    for (; length < prompt.length && !signal?.aborted; length = Math.min(length + PREFILL_TOKENS, prompt.length)) {
      await this.#run(prompt.subarray(length, length + PREFILL_TOKENS), length);
    }
    for (let count = 0; count < maxTokens && !signal?.aborted; count++) {
      const id = sample(this.#logits.data as Float32Array, options, rng);
      if (stopIds?.has(id)) return;
      yield id;
      if (length === this.contextLength) return;
      await this.#run([id], length++);
    }
  }

  /** Runs new tokens at position `start`; leaves the last one's logits. */
  async #run(ids: ArrayLike<number>, start: number): Promise<void> {
    const count = ids.length;
    const x = zeros("float32", [1, count, this.#model.hiddenSize]);
    this.#weights.embed(ids, x.data as Float32Array);
    const positions = BigInt64Array.from({ length: count }, (_, i) => BigInt(start + i));
    const feeds: Feeds = {
      x,
      positions: hostTensor("int64", [1, count], positions),
      last: hostTensor("int32", [1], Int32Array.of(start + count - 1)),
      total: hostTensor("int32", [], Int32Array.of(start + count)),
      ...this.#tables,
      ...this.#cache,
    };
    const caches = Object.entries(this.#cache).map(([name, tensor]) => [
      name.replace("keys", "newKeys").replace("values", "newValues"),
      tensor,
    ]);
    await this.#program.run(feeds, { logits: this.#logits, ...Object.fromEntries(caches) });
  }
}
