/** @file Many requests at once: tokens in, tokens out, one run of the model for all. */

import { CapacityError, ConfigError, TesseraError, UnsupportedError } from "../base/errors.js";
import type { RngState } from "../base/rng.js";
import { checkLength, type LanguageModel } from "../nn/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { AdaptedLinears } from "./adapters/adapted-linears.js";
import type { AdapterUpdates } from "./adapters/adapter.js";
import { type AdapterOptions, type AdapterStatus, Adapters } from "./adapters/adapters.js";
import { type CachePolicy, type CacheUsage, type KvCache, MAX_REPEATED } from "./cache/cache.js";
import { contiguous } from "./cache/contiguous.js";
import { type LengthPredictor, RecentLengths } from "./length-predictor.js";
import type { StepWeights } from "./live-weights.js";
import { PositionTables } from "./position-tables.js";
import { isStream, type PromptIds, readPrompt } from "./prompt-stream.js";
import { Runner } from "./runner.js";
import { Candidates } from "./sampling/candidates.js";
import type { Constraint } from "./sampling/constraints/constraint.js";
import { type SampledToken, Sampler, type SamplingOptions } from "./sampling/sampler.js";
import { Scheduler } from "./scheduler.js";
import { type EndReason, type GenerationEnd, Sequence } from "./sequence.js";
import type { Speculation } from "./speculation/proposer.js";
import { type SpeculationCounts, Speculator } from "./speculation/speculator.js";
import { stepGraph } from "./step-graph.js";

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
  /** Seed of sampling, or the state in which an earlier text ended: equal seeds give equal tokens. Default 0. */
  readonly seed?: number | RngState;
  readonly constraint?: Constraint;
  /**
   * Whether tokens are proposed. Default: where the engine has speculation, but for a sampled text with a draft model only if
   * the engine runs one sequence at a time: in a crowd it would be slower.
   */
  readonly speculation?: boolean;
  /** Name of the adapter to generate with. Default: none. */
  readonly adapter?: string;
  /**
   * Tokens of the same text that earlier requests generated, oldest first. They stand in the prompt too; penalties,
   * `minTokens` and the constraint go on behind them. Default none.
   */
  readonly written?: ArrayLike<number>;
  /**
   * Most tokens of the prompt whose keys and values may come from other requests, in whole pieces of `prefillTokens`.
   * What decoding computed differs from what a prompt gives in the last bits: where a text must be the same however it came
   * to be, only what was prompt before may be taken over. Default: all.
   */
  readonly reusableTokens?: number;
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
  /** Something has come since the last round began. */
  #isWoken = false;
  #isClosed = false;
  readonly #counts = { computedTokens: 0, cachedTokens: 0, generatedTokens: 0, finished: 0 };

  private constructor(
    parts: {
      model: LanguageModel;
      weights: StepWeights;
      program: Program;
      cache: KvCache;
      adapters: Adapters | undefined;
    },
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
    this.#scheduler = new Scheduler(cache, this.#tables, options);
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
    weights: StepWeights,
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
    const speculator = proposer && new Speculator(proposer, most, sizes.maxSequences > 1);
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
   * Generates tokens after `prompt`, as they come; returns how it ended. Leaving early gives the request up. A prompt in
   * pieces is computed as it comes and read no faster; it keeps its place in the cache until it has come, and with a sinks
   * cache it may be of any length.
   * @throws ConfigError for options out of range, an unknown adapter or an empty prompt; CapacityError when the prompt
   * fills the context; DataError when sampling finds no token; TesseraError once the engine is closed.
   */
  async *generate(prompt: PromptIds, options: RequestOptions = {}): AsyncGenerator<SampledToken, GenerationEnd> {
    let giveUp = (): void => {};
    const givenUp = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    const sequence = isStream(prompt) ? this.#begun(prompt, options, givenUp) : this.#admitted(prompt, options);
    const { signal } = options;
    const abort = (): void => {
      giveUp();
      this.#abort(sequence);
    };
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
    this.#dropAborted();
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
    if (prompt.length === 0) throw new ConfigError("the prompt has no tokens; begin with the model's start token");
    checkPrompt(prompt, prompt.length, this.#model.vocabSize, this.contextLength);
    const sequence = this.#sequenceOf(prompt, options);
    if (sequence.maxTokens === 0) sequence.finish("length");
    else {
      this.#scheduler.add(sequence);
      this.#wake();
    }
    return sequence;
  }

  /** A request whose prompt comes in pieces; it is admitted from the first on. */
  #begun(source: AsyncIterable<ArrayLike<number>>, options: RequestOptions, givenUp: Promise<void>): Sequence {
    const sequence = this.#sequenceOf([], options, true);
    if (sequence.maxTokens === 0) {
      sequence.finish("length");
      return sequence;
    }
    this.#scheduler.add(sequence);
    const feed = (ids: ArrayLike<number>): void => {
      checkPrompt(ids, sequence.ids.length + ids.length, this.#model.vocabSize, this.contextLength);
      sequence.feed(ids);
      // keys in the cache were turned by the tables of shorter texts
      if (sequence.cached && this.#tables.variantOf(sequence.ids.length) !== sequence.variant)
        this.#scheduler.requeue(sequence);
      this.#wake();
    };
    const end = (): void => {
      sequence.isPromptOpen = false;
      this.#wake();
    };
    void readPrompt(source, sequence, { feed, end, fail: (error) => this.#fail(sequence, error) }, givenUp);
    return sequence;
  }

  #sequenceOf(prompt: ArrayLike<number>, options: RequestOptions, isPromptOpen = false): Sequence {
    this.#checkOpen();
    const adapter = options.adapter === undefined ? undefined : this.#adapterSet().get(options.adapter);
    const { maxTokens = Number.POSITIVE_INFINITY, stopIds = NO_IDS, seed = 0, constraint, written } = options;
    const { reusableTokens = Number.POSITIVE_INFINITY } = options;
    for (const [name, value] of Object.entries({ maxTokens, reusableTokens })) {
      if (!(value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0)))
        throw new ConfigError(`${name} must be a whole number from 0, got ${value}`);
    }
    if (options.speculation && !this.#speculator)
      throw new ConfigError("speculation: the engine has none; create it with EngineOptions.speculation");
    const vocabSize = this.#model.vocabSize;
    const candidates = this.#candidates;
    const sampler = new Sampler(options, { vocabSize, stopIds, prompt, seed, constraint, written, candidates });
    const most = Math.min(maxTokens, this.contextLength - prompt.length + 1);
    return new Sequence({
      prompt,
      sampler,
      stopIds,
      maxTokens,
      order: this.#order++,
      predictedTokens: this.#lengths.predict(prompt.length, most),
      adapter,
      speculative: this.#speculates(options, sampler) ? this.#speculator?.open() : undefined,
      reusableTokens: reusableTokens - (reusableTokens % this.#prefillTokens || 0),
      isPromptOpen,
    });
  }

  #speculates({ speculation }: RequestOptions, { isGreedy }: Sampler): boolean {
    return speculation ?? this.#speculator?.isUsual(isGreedy) ?? false;
  }

  #wake(): void {
    this.#isWoken = true;
    this.#loop ??= this.#run();
  }

  /** Ends the request for its reader now; its memory is free before the next run. */
  #abort(sequence: Sequence): void {
    sequence.isAborted = true;
    sequence.finish("aborted");
    // it may hold the place that another waits for
    if (this.#scheduler.sequences.includes(sequence)) this.#wake();
  }

  /** Runs the model until nothing can be computed. */
  async #run(): Promise<void> {
    // requests that are made together are admitted together
    await undefined;
    try {
      while (this.#hasWork()) {
        this.#isWoken = false;
        if (!(await this.#round()) && !this.#isWoken) break;
      }
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

  /** Some tokens of prompts, then one for everyone else. False where there was nothing but prompts that are to come. */
  async #round(): Promise<boolean> {
    let count = 0;
    while (count < this.#prefillTokens) {
      const prefill = this.#scheduler.nextPrefill();
      if (!prefill) break;
      count += prefill.count;
      await this.#step([prefill.sequence], prefill.count);
      this.#dropAborted();
    }
    const decoding = this.#scheduler.nextDecode();
    if (decoding.length > 0) await this.#decode(decoding);
    return count > 0 || decoding.length > 0;
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

/** Checks ids of a prompt that has `length` tokens with them. */
function checkPrompt(prompt: ArrayLike<number>, length: number, vocabSize: number, contextLength: number): void {
  const outside = Array.from(prompt).find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (outside !== undefined) throw new ConfigError(`token id ${outside} is outside the vocabulary of ${vocabSize}`);
  if (length >= contextLength) {
    throw new CapacityError(
      `the prompt has ${length} tokens, but the context holds ${contextLength} with at least one to generate; shorten it, or take a cache that has no end (sinks-window)`,
    );
  }
}
