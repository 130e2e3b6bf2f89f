/** @file From logits to a token: the steps that a request asks for, then the largest logit or a draw. */

import { ConfigError } from "../../base/errors.js";
import { deriveSeed, Rng, type RngState } from "../../base/rng.js";
import { Candidates, damagedLogits, noTokenLeft } from "./candidates.js";
import type { Constraint, ConstraintState } from "./constraints/constraint.js";
import { candidateFilters } from "./filters/index.js";
import { type Logprobs, logprobsOf } from "./logprobs.js";
import type { SamplingOptions, SamplingRequest } from "./options.js";
import { logitsProcessors } from "./processors/index.js";
import { checkRange } from "./processors/processor.js";
import { acceptOrResample, distributionOf, type Proposal } from "./proposal.js";
import { indexOfLargest } from "./select.js";

export type { SamplingOptions } from "./options.js";

export interface SamplerRequest extends SamplingRequest {
  /** Ids of the prompt, for the repetition penalty. */
  readonly prompt: ArrayLike<number>;
  /** Seed of this request's own stream of random numbers, or a state of such a stream: equal seeds give equal tokens. */
  readonly seed: number | RngState;
  /** Tokens that count as generated before the first. */
  readonly written?: ArrayLike<number> | undefined;
  readonly constraint?: Constraint | undefined;
  /** Buffers to share between requests that take turns. Default: own ones. */
  readonly candidates?: Candidates | undefined;
}

export interface SampledToken {
  readonly id: number;
  readonly logprobs?: Logprobs;
}

/** `complete`: what was generated satisfies the constraint; at a token limit, only this makes the output valid. */
export type ConstraintStatus = "none" | "unfinished" | "complete";

/** Chooses the tokens of one request. */
export class Sampler {
  readonly #options: SamplingOptions;
  readonly #request: SamplerRequest;
  readonly #steps: ReturnType<typeof openSteps>;
  readonly #candidates: Candidates;
  readonly #rng: Rng;
  /** What draws proposals, so that the draws of the text are its own. */
  readonly #proposing: Rng;
  readonly #prompt: Set<number>;
  readonly #counts = new Map<number, number>();
  #numGenerated = 0;
  #state: ConstraintState | undefined;
  /** Room for the logits that steps change; what is given stays as it is. */
  #changed: Float32Array | undefined;

  /** @throws ConfigError naming the option that is out of range, or a constraint made for another vocabulary. */
  constructor(options: SamplingOptions, request: SamplerRequest) {
    checkLogprobs(options);
    const { vocabSize, constraint, stopIds } = request;
    if (constraint !== undefined && constraint.vocabSize > vocabSize) {
      throw new ConfigError(
        `the constraint was made for a vocabulary of ${constraint.vocabSize} ids, but the model has ${vocabSize} logits; use the model's own tokenizer`,
      );
    }
    this.#options = options;
    this.#request = { ...request, stopIds: new Set([...stopIds].filter((id) => id >= 0 && id < vocabSize)) };
    this.#steps = openSteps(options, this.#request);
    this.#candidates = request.candidates ?? new Candidates(vocabSize);
    this.#rng = new Rng(request.seed);
    this.#proposing = new Rng(
      deriveSeed(typeof request.seed === "number" ? request.seed : request.seed[0], "proposals"),
    );
    this.#prompt = new Set(Array.from(request.prompt));
    this.#state = constraint?.start();
    for (const id of Array.from(request.written ?? [])) this.accept(id);
  }

  /** Where the stream of random numbers is: a sampler that goes on from here draws what this one would. */
  get rng(): RngState {
    return this.#rng.state;
  }

  /** Counts ids as prompt, for a prompt that comes in pieces. */
  readPrompt(ids: ArrayLike<number>): void {
    for (const id of Array.from(ids)) this.#prompt.add(id);
  }

  get constraintStatus(): ConstraintStatus {
    if (this.#state === undefined) return "none";
    return this.#state.isFinal ? "complete" : "unfinished";
  }

  /** The constraint is complete and nothing may follow: only ids that end the text are left. */
  get isDone(): boolean {
    return this.#state?.isFinal === true && this.#state.allowed().count === 0;
  }

  /** Draws nothing: always the largest logit. */
  get isGreedy(): boolean {
    const { temperature = 0, topK } = this.#options;
    return temperature === 0 || topK === 1;
  }

  /**
   * Chooses the next token from logits [V], which stay as they are, and counts it as generated. The distribution is the
   * same with a `proposal` and without, unless that has a tolerance; so are the tokens of a seed, unless it was drawn.
   * @throws DataError where no token is left to choose or a logit is no number.
   */
  next(logits: Float32Array, proposal?: Proposal): SampledToken {
    const id = this.#choose(logits, proposal);
    this.accept(id);
    const { logprobs } = this.#options;
    return logprobs === undefined ? { id } : { id, logprobs: logprobsOf(logits, id, logprobs) };
  }

  /** The tokens that may come next, after all steps; their `weights()` are the distribution that is drawn from. */
  distribution(logits: Float32Array): Candidates {
    this.#candidates.fill(this.#processed(logits));
    for (const filter of this.#steps.filters) filter(this.#candidates);
    return this.#candidates;
  }

  /**
   * Counts `id` as generated, as when another model proposed it.
   * @throws ConfigError when the constraint does not allow it.
   */
  accept(id: number): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    this.#numGenerated++;
    const isEnd = this.#request.stopIds.has(id) && this.#state?.isFinal === true;
    if (this.#state === undefined || isEnd) return;
    const next = this.#state.next(id);
    if (next === undefined) throw new ConfigError(`token id ${id} is not what the constraint allows next`);
    this.#state = next;
  }

  /**
   * The token that another model's logits [V] make the next after `ahead`, tokens that are not yet counted as generated;
   * undefined where none is left to choose.
   * @throws DataError where a logit is no number.
   */
  propose(logits: Float32Array, ahead: readonly number[]): Proposal | undefined {
    const [state, numGenerated] = [this.#state, this.#numGenerated];
    try {
      for (const id of ahead) this.accept(id);
      const processed = this.#processed(logits);
      if (processed[indexOfLargest(processed)] === Number.NEGATIVE_INFINITY) return undefined;
      if (this.isGreedy) return { id: greedy(processed) };
      const candidates = this.distribution(logits);
      return { id: candidates.draw(this.#proposing), distribution: distributionOf(candidates) };
    } finally {
      // undone by number, since a constraint may have refused one
      for (const id of ahead.slice(0, this.#numGenerated - numGenerated)) this.#uncount(id);
      [this.#state, this.#numGenerated] = [state, numGenerated];
    }
  }

  #choose(logits: Float32Array, proposal: Proposal | undefined): number {
    const tolerance = proposal?.tolerance;
    if (proposal && tolerance !== undefined && this.#surprise(logits, proposal.id) <= tolerance) return proposal.id;
    if (this.isGreedy) return greedy(this.#processed(logits));
    const candidates = this.distribution(logits);
    if (!proposal?.distribution || tolerance !== undefined) return candidates.draw(this.#rng);
    return acceptOrResample(candidates, proposal.id, proposal.distribution, this.#rng);
  }

  /** Negative logarithm of the probability of `id` after all steps; infinite for what may not come. */
  #surprise(logits: Float32Array, id: number): number {
    const candidates = this.distribution(logits);
    const at = candidates.ids.subarray(0, candidates.size).indexOf(id);
    return at < 0 ? Number.POSITIVE_INFINITY : -Math.log(candidates.weights()[at]! / candidates.totalWeight());
  }

  #uncount(id: number): void {
    const count = this.#counts.get(id)! - 1;
    if (count === 0) this.#counts.delete(id);
    else this.#counts.set(id, count);
  }

  /** Logits after the steps that change them. */
  #processed(logits: Float32Array): Float32Array {
    if (this.#steps.processors.length === 0 && this.#state === undefined) return logits;
    this.#changed ??= new Float32Array(logits.length);
    const changed = this.#changed;
    changed.set(logits);
    const history = { prompt: this.#prompt, counts: this.#counts, numGenerated: this.#numGenerated };
    for (const process of this.#steps.processors) process(changed, history);
    if (this.#state !== undefined) this.#constrain(changed, this.#state);
    return changed;
  }

  /** Leaves what the constraint allows, and the ids that end the text where it is complete. */
  #constrain(logits: Float32Array, state: ConstraintState): void {
    const ends = [...this.#request.stopIds].map((id) => [id, logits[id]!] as const);
    state.allowed().apply(logits);
    for (const [id, logit] of ends) logits[id] = state.isFinal ? logit : Number.NEGATIVE_INFINITY;
  }
}

/** @throws ConfigError naming the option that is out of range. */
export function checkSampling(options: SamplingOptions): void {
  checkLogprobs(options);
  openSteps(options, { vocabSize: Number.POSITIVE_INFINITY, stopIds: new Set() });
}

/**
 * Draws a token id with the options that need no history: temperature and the filters. Greedy choice draws nothing
 * from `rng`; ties go to the smaller id.
 * @throws ConfigError for options that only a `Sampler` can follow.
 */
export function sample(logits: Float32Array, options: SamplingOptions, rng: Rng): number {
  const { processors, filters } = openSteps(options, { vocabSize: logits.length, stopIds: new Set([0]) });
  if (processors.length > 0 || options.logprobs !== undefined) {
    throw new ConfigError(
      `sample: ${[...Object.keys(logitsProcessors), "logprobs"].join(", ")} need a Sampler, which knows the text so far`,
    );
  }
  const { temperature = 0, topK } = options;
  if (temperature === 0 || topK === 1) return greedy(logits);
  const candidates = new Candidates(logits.length);
  candidates.fill(logits);
  for (const filter of filters) filter(candidates);
  return candidates.draw(rng);
}

/** @throws DataError where no token is left, or no logit is a number. */
function greedy(logits: Float32Array): number {
  const id = indexOfLargest(logits);
  if (logits[id] === Number.NEGATIVE_INFINITY) throw noTokenLeft();
  if (!Number.isFinite(logits[id])) throw damagedLogits();
  return id;
}

function openSteps(options: SamplingOptions, request: SamplingRequest) {
  const isOpen = <T>(step: T | undefined): step is T => step !== undefined;
  return {
    processors: Object.values(logitsProcessors)
      .map((processor) => processor.open(options, request))
      .filter(isOpen),
    filters: Object.values(candidateFilters)
      .map((filter) => filter.open(options))
      .filter(isOpen),
  };
}

function checkLogprobs({ logprobs }: SamplingOptions): void {
  if (logprobs === undefined) return;
  checkRange("logprobs", logprobs, 0, 20);
  if (!Number.isInteger(logprobs)) throw new ConfigError(`logprobs must be a whole number, got ${logprobs}`);
}
