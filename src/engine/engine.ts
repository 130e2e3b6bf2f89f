/** @file Many requests at once: tokens in, tokens out, one run of the model for all. */

import { CapacityError, ConfigError, TesseraError, UnsupportedError } from "../base/errors.js";
import { checkLength, type LanguageModel } from "../nn/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { AdaptedLinears } from "./adapters/adapted-linears.js";
import type { AdapterUpdates } from "./adapters/adapter.js";
import { type AdapterOptions, type AdapterStatus, Adapters } from "./adapters/adapters.js";
import { type CachePolicy, type CacheUsage, type KvCache, MAX_REPEATED } from "./cache/cache.js";
import { contiguous } from "./cache/contiguous.js";
import { type LengthPredictor, RecentLengths } from "./length-predictor.js";
import { PositionTables } from "./position-tables.js";
import { Runner } from "./runner.js";
import { Candidates } from "./sampling/candidates.js";
import type { Constraint } from "./sampling/constraints/constraint.js";
import { type SampledToken, Sampler, type SamplingOptions } from "./sampling/sampler.js";
import { Scheduler } from "./scheduler.js";
import { type EndReason, type GenerationEnd, Sequence } from "./sequence.js";
import type { Speculation } from "./speculation/proposer.js";
import { type SpeculationCounts, Speculator } from "./speculation/speculator.js";
import { stepGraph } from "./step-graph.js";
import type { Weights } from "./weights.js";

export interface EngineOptions {
  /** Most tokens of prompt and text together, or of a sinks cache's rows. Default: the model's positions. */
  readonly contextLength?: number;
  /** Most sequences that run at once; others wait. Default 8. */
  readonly maxSequences?: number;
  /** Prompts are computed in pieces of this many tokens, and after each all others get a token. Default 128. */
  readonly prefillTokens?: number;
  /** How keys and values are kept. Default `contiguous`. */
  readonly cache?: CachePolicy;
  /** Most bytes of keys and values. Default: enough for `maxSequences` full contexts. */
  readonly cacheBytes?: number;
  /** Decides for how long an answer memory is left at admission. Default: by what was seen lately. */
  readonly lengths?: LengthPredictor;
  /** Guesses tokens that are then verified together. Default: none. */
  readonly speculation?: Speculation;
  /** Takes adapters, one per request. Default: none, at no cost. */
  readonly adapters?: AdapterOptions;
}

export interface RequestOptions extends SamplingOptions {
  /** Most tokens to generate. Default: until the context is full; without end where the cache makes room (sinks). */
  readonly maxTokens?: number;
  /** Ids that end the text; they are not given out. */
  readonly stopIds?: ReadonlySet<number>;
  /** Seed of sampling: equal seeds give equal tokens. Default 0. */
  readonly seed?: number;
  readonly constraint?: Constraint;
  /** Whether tokens are proposed. Default: where the engine has speculation. */
  readonly speculation?: boolean;
  /** Name of the adapter to generate with. Default: none. */
  readonly adapter?: string;
  /** Gives the request up: before the next run of the model, its memory is free. */
  readonly signal?: AbortSignal;
}

/** What the engine is doing and has done. */
export interface EngineStatistics {
  readonly waiting: number;
  readonly running: number;
  /** Tokens that the model computed: prompts and texts, again after pre-emption. */
  readonly computedTokens: number;
  /** Tokens of prompts that were known from other requests. */
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  readonly preemptions: number;
  readonly finished: number;
  readonly cache: CacheUsage;
  readonly speculation: SpeculationCounts;
}

const NO_IDS: ReadonlySet<number> = new Set();

/** A model that answers any number of requests at once. Close it when done. */
export class Engine {
  readonly #model: LanguageModel;
  readonly #cache: KvCache;
  readonly #tables: PositionTables;
  readonly #runner: Runner;
  readonly #scheduler: Scheduler;
  readonly #speculator: Speculator | undefined;
  readonly #lengths: LengthPredictor;
  readonly #adapters: Adapters | undefined;
  readonly #prefillTokens: number;
  /** Buffers of sampling, which all requests use in turn. */
  readonly #candidates: Candidates;
  #order = 0;
  #loop: Promise<void> | undefined;
  #isClosed = false;
  readonly #counts = { computedTokens: 0, cachedTokens: 0, generatedTokens: 0, finished: 0 };

  private constructor(
    parts: { model: LanguageModel; weights: Weights; program: Program; cache: KvCache; adapters: Adapters | undefined },
    options: {
      maxSequences: number;
      prefillTokens: number;
      lengths: LengthPredictor;
      speculator?: Speculator | undefined;
    },
  ) {
    const { model, weights, program, cache, adapters } = parts;
    this.#model = model;
    this.#cache = cache;
    this.#tables = new PositionTables(model, cache.numPositions);
    this.#adapters = adapters;
    this.#runner = new Runner(model, weights, program, cache, this.#tables, adapters);
    this.#scheduler = new Scheduler(cache, this.#tables, options.maxSequences);
    this.#speculator = options.speculator;
    this.#prefillTokens = options.prefillTokens;
    this.#lengths = options.lengths;
    this.#candidates = new Candidates(model.vocabSize);
  }

  /**
   * Compiles the model. The program belongs to the runtime, which shares it between equal graphs and must outlive the engine.
   * @throws ConfigError when an option is not a whole number from 1, or the speculation does not fit the model;
   * CapacityError when the model cannot reach so far or no sequence fits the memory; UnsupportedError for speculation over
   * a cache that takes nothing back.
   */
  static async create(
    runtime: Runtime,
    model: LanguageModel,
    weights: Weights,
    options: EngineOptions = {},
  ): Promise<Engine> {
    const { contextLength = model.maxPositions, maxSequences = 8, prefillTokens = 128, cacheBytes } = options;
    const { cache: policy = contiguous, lengths = new RecentLengths(), speculation } = options;
    for (const [name, value] of Object.entries({ contextLength, maxSequences, prefillTokens, cacheBytes })) {
      if (value !== undefined && (!Number.isInteger(value) || value < 1))
        throw new ConfigError(`engine: ${name} must be a whole number from 1, got ${value}`);
    }
    checkLength(model, contextLength);
    const sizes = { contextLength, maxSequences, prefillTokens: Math.min(prefillTokens, contextLength) };
    if (speculation && policy.noTruncation !== undefined) {
      throw new UnsupportedError(
        `speculation (${speculation.name}): the ${policy.name} cache cannot take back what was proposed: ${policy.noTruncation}; use another cache policy`,
      );
    }
    const cache = policy.create(model, { ...sizes, ...(cacheBytes !== undefined && { cacheBytes }) });
    const adapted = options.adapters && new AdaptedLinears(options.adapters.targets);
    const graph = stepGraph(model, weights, cache.attention, adapted);
    const adapters = adapted && new Adapters(adapted, options.adapters);
    const program = await runtime.compile(graph);
    const proposer = await speculation?.open({ runtime, model, weights, ...sizes });
    // all are verified in one run, for which caches have room
    const most = Math.min(speculation?.maxTokens ?? 0, MAX_REPEATED - 1, sizes.prefillTokens - 1);
    const speculator = proposer && new Speculator(proposer, most);
    return new Engine({ model, weights, program, cache, adapters }, { ...sizes, lengths, speculator });
  }

  /** Most tokens of prompt and text together; infinite where the cache makes room for more. */
  get contextLength(): number {
    return this.#cache.maxTokens;
  }

  get statistics(): EngineStatistics {
    const { numWaiting: waiting, numRunning: running, preemptions } = this.#scheduler;
    const speculation = this.#speculator?.counts ?? { proposed: 0, accepted: 0 };
    return { waiting, running, preemptions, ...this.#counts, cache: this.#cache.usage(), speculation };
  }

  /** The adapters that requests may name. */
  get adapters(): readonly AdapterStatus[] {
    return this.#adapters?.status ?? [];
  }

  /**
   * Adds an adapter, also while requests run. Any number may be there: those that run have a copy of their matrices for
   * each sequence of a batch, the others take only their own memory.
   * @throws ConfigError for a name that is taken, a map that takes no adapter, a rank above `maxRank`, or an engine without
   * adapters; ShapeError for one of another base; UnsupportedError where it must be merged.
   */
  addAdapter(name: string, updates: AdapterUpdates): void {
    this.#checkOpen();
    this.#adapterSet().add(name, updates);
  }

  /**
   * Removes an adapter: no later request gets it. Requests that have it go on to their end; then its memory is free and
   * the promise resolves. A new adapter may have the name at once.
   * @throws ConfigError when there is none of that name.
   */
  async removeAdapter(name: string): Promise<void> {
    const gone = this.#adapterSet().remove(name);
    this.#settleAdapters();
    await gone;
  }

  /**
   * Generates tokens after `prompt`, as they come; returns how it ended. Leaving early gives the request up.
   * @throws ConfigError for options out of range, an unknown adapter or an empty prompt; CapacityError when the prompt fills
   * the context; DataError when sampling finds no token; TesseraError once the engine is closed.
   */
  async *generate(
    prompt: ArrayLike<number>,
    options: RequestOptions = {},
  ): AsyncGenerator<SampledToken, GenerationEnd> {
    const sequence = this.#admitted(prompt, options);
    const { signal } = options;
    const abort = (): void => this.#abort(sequence);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return yield* sequence.events.read();
    } finally {
      signal?.removeEventListener("abort", abort);
      abort();
    }
  }

  /** Gives up what runs and waits, then frees what the engine holds. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const sequence of this.#scheduler.sequences) this.#abort(sequence);
    await this.#loop;
    this.#runner.close();
    this.#speculator?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TesseraError("the engine is closed; create another one");
  }

  #adapterSet(): Adapters {
    if (this.#adapters) return this.#adapters;
    throw new ConfigError("this engine takes no adapters; create it with the option adapters: {}");
  }

  /** Frees removed adapters that nobody has any more. */
  #settleAdapters(): void {
    for (const key of this.#adapters?.settle(this.#scheduler.sequences) ?? []) this.#runner.forget(key);
  }

  #admitted(prompt: ArrayLike<number>, options: RequestOptions): Sequence {
    this.#checkOpen();
    const { maxTokens = Number.POSITIVE_INFINITY, stopIds = NO_IDS, seed = 0, constraint } = options;
    const adapter = options.adapter === undefined ? undefined : this.#adapterSet().get(options.adapter);
    checkPrompt(prompt, this.#model.vocabSize, this.contextLength);
    if (!(maxTokens === Number.POSITIVE_INFINITY || (Number.isInteger(maxTokens) && maxTokens >= 0)))
      throw new ConfigError(`maxTokens must be a whole number from 0, got ${maxTokens}`);
    if (options.speculation && !this.#speculator)
      throw new ConfigError("speculation: the engine has none; create it with EngineOptions.speculation");
    const vocabSize = this.#model.vocabSize;
    const sampler = new Sampler(options, {
      vocabSize,
      stopIds,
      prompt,
      seed,
      constraint,
      candidates: this.#candidates,
    });
    const most = Math.min(maxTokens, this.contextLength - prompt.length + 1);
    const predictedTokens = this.#lengths.predict(prompt.length, most);
    const speculative = options.speculation === false ? undefined : this.#speculator?.open();
    const sequence = new Sequence({
      prompt,
      sampler,
      stopIds,
      maxTokens,
      order: this.#order++,
      predictedTokens,
      adapter,
      speculative,
    });
    if (maxTokens === 0) sequence.finish("length");
    else {
      this.#scheduler.add(sequence);
      this.#loop ??= this.#run();
    }
    return sequence;
  }

  /** Ends the request for its reader now; its memory is free before the next run. */
  #abort(sequence: Sequence): void {
    sequence.isAborted = true;
    sequence.finish("aborted");
  }

  /** Runs the model until nobody waits. */
  async #run(): Promise<void> {
    // requests that are made together are admitted together
    await undefined;
    try {
      while (this.#hasWork()) await this.#round();
    } catch (error) {
      for (const sequence of this.#scheduler.sequences) this.#fail(sequence, error);
      this.#settleAdapters();
    }
    this.#loop = undefined;
  }

  #hasWork(): boolean {
    this.#dropAborted();
    return this.#scheduler.sequences.length > 0;
  }

  /** Some tokens of prompts, then one for everyone else. */
  async #round(): Promise<void> {
    for (let budget = this.#prefillTokens; budget > 0; ) {
      const prefill = this.#scheduler.nextPrefill(budget);
      if (!prefill) break;
      budget -= prefill.count;
      await this.#step([prefill.sequence], prefill.count);
      this.#dropAborted();
    }
    const decoding = this.#scheduler.nextDecode();
    if (decoding.length > 0) await this.#decode(decoding);
  }

  /** A token for each of a batch; more for those whose proposals are accepted. */
  async #decode(decoding: readonly Sequence[]): Promise<void> {
    await this.#propose(decoding);
    const together: Sequence[] = [];
    for (const sequence of decoding) {
      if (!sequence.cached) continue;
      const count = this.#speculator?.numVerified(sequence, decoding.length) ?? 0;
      // where memory lacks proposals are verified one by one
      if (count === 0 || !sequence.cached.reserve(sequence.ids.length + count)) together.push(sequence);
      else await this.#step([sequence], 1 + count, 1 + count);
    }
    if (together.length > 0) await this.#step(together, 1);
  }

  async #propose(decoding: readonly Sequence[]): Promise<void> {
    try {
      await this.#speculator?.propose(decoding, (sequence) => this.#roomToPropose(sequence));
    } catch (error) {
      for (const sequence of decoding) if (sequence.speculative) this.#fail(sequence, error);
    }
  }

  /** Tokens that may be proposed, so that one more fits after them and all are of one table. */
  #roomToPropose({ ids, maxTokens, generatedTokens, variant }: Sequence): number {
    let room = Math.min(maxTokens - generatedTokens - 1, this.contextLength - ids.length, MAX_REPEATED);
    while (room > 0 && this.#tables.variantOf(ids.length + room) !== variant) room--;
    return room;
  }

  #dropAborted(): void {
    for (const sequence of this.#scheduler.sequences) if (sequence.isAborted) this.#scheduler.remove(sequence);
    this.#settleAdapters();
  }

  async #step(batch: readonly Sequence[], count: number, numLogits = 1): Promise<void> {
    try {
      const logits = await this.#runner.run(batch, count, numLogits);
      this.#counts.computedTokens += batch.length * count;
      for (const [i, sequence] of batch.entries())
        this.#advance(sequence, logits.slice(i * numLogits, (i + 1) * numLogits));
    } catch (error) {
      for (const sequence of batch) this.#fail(sequence, error);
    }
  }

  /** Chooses a sequence's next tokens once all before them are computed: one, and one after each that was proposed. */
  #advance(sequence: Sequence, logits: readonly Float32Array[]): void {
    if (sequence.isAborted || sequence.pendingTokens > 0) {
      if (!sequence.isAborted) this.#scheduler.advanced(sequence);
      return;
    }
    for (const [i, row] of logits.entries()) {
      const proposed = sequence.speculative?.lookahead.next?.id;
      this.#choose(sequence, row);
      if (!sequence.cached) return;
      if (i < logits.length - 1 && sequence.ids.at(-1) !== proposed) break;
    }
    // the latest token is still to be computed
    if (sequence.pendingTokens < 1) sequence.cached!.truncate(sequence.ids.length - 1);
  }

  #choose(sequence: Sequence, logits: Float32Array): void {
    let token: SampledToken;
    try {
      token = sequence.sampler.next(logits, sequence.speculative?.lookahead.next);
    } catch (error) {
      this.#fail(sequence, error);
      return;
    }
    if (sequence.stopIds.has(token.id)) {
      this.#finish(sequence, "stop");
      return;
    }
    sequence.ids.push(token.id);
    this.#speculator?.settle(sequence, token.id);
    this.#counts.generatedTokens++;
    sequence.events.push(token);
    if (sequence.sampler.isDone) this.#finish(sequence, "stop");
    else if (sequence.generatedTokens >= sequence.maxTokens) this.#finish(sequence, "length");
    else if (sequence.ids.length > this.contextLength) this.#finish(sequence, "context");
    else if (this.#tables.variantOf(sequence.ids.length) !== sequence.variant) this.#scheduler.requeue(sequence);
    else this.#scheduler.advanced(sequence);
  }

  #finish(sequence: Sequence, reason: EndReason): void {
    this.#scheduler.remove(sequence);
    this.#lengths.learn(sequence.promptLength, sequence.generatedTokens);
    this.#counts.cachedTokens += sequence.cachedTokens;
    this.#counts.finished++;
    sequence.finish(reason);
  }

  #fail(sequence: Sequence, error: unknown): void {
    this.#scheduler.remove(sequence);
    sequence.events.fail(error);
  }
}

function checkPrompt(prompt: ArrayLike<number>, vocabSize: number, contextLength: number): void {
  if (prompt.length === 0) throw new ConfigError("the prompt has no tokens; begin with the model's start token");
  const outside = Array.from(prompt).find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (outside !== undefined) throw new ConfigError(`token id ${outside} is outside the vocabulary of ${vocabSize}`);
  if (prompt.length >= contextLength) {
    throw new CapacityError(
      `the prompt has ${prompt.length} tokens, but the context holds ${contextLength} with at least one to generate`,
    );
  }
}
