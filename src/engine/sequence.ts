/** @file One request in the engine: its tokens, its place in the cache, and where its events go. */

import { assert } from "../base/errors.js";
import type { RngState } from "../base/rng.js";
import type { EngineAdapter } from "./adapters/adapter.js";
import type { CachedSequence } from "./cache/cache.js";
import { EventQueue } from "./event-queue.js";
import type { Running } from "./runner.js";
import type { SampledToken, Sampler } from "./sampling/sampler.js";
import type { Speculative } from "./speculation/speculator.js";

/** Why a text ended: an id that ends texts, `maxTokens`, the context is full, or the request was given up. */
export type EndReason = "stop" | "length" | "context" | "aborted";

export interface GenerationEnd {
  readonly reason: EndReason;
  readonly promptTokens: number;
  /** Tokens of the prompt that were known from other requests. */
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  /** State of the random numbers after the last choice, to go on from as `seed`; absent where the request was given up. */
  readonly rng?: RngState;
}

export interface SequenceOptions {
  readonly prompt: ArrayLike<number>;
  readonly sampler: Sampler;
  readonly stopIds: ReadonlySet<number>;
  /** Most tokens to generate. */
  readonly maxTokens: number;
  /** Place in the order of arrival. */
  readonly order: number;
  /** Tokens that it is expected to generate. */
  readonly predictedTokens: number;
  /** Absent where nothing is proposed. */
  readonly speculative?: Speculative | undefined;
  readonly adapter?: EngineAdapter | undefined;
  /** Most tokens that it may take over from other requests. Default: all but the last. */
  readonly reusableTokens?: number;
  /** More of the prompt is to come. Default false. */
  readonly isPromptOpen?: boolean;
}

export class Sequence implements Running {
  /** Prompt and text. */
  readonly ids: number[];
  promptLength: number;
  /** More of the prompt is to come: no token is chosen, and only whole pieces are computed. */
  isPromptOpen: boolean;
  /** Called when more of an open prompt is wanted. */
  onWanted: () => void = () => {};
  readonly events = new EventQueue<SampledToken, GenerationEnd>();
  readonly sampler: Sampler;
  readonly stopIds: ReadonlySet<number>;
  readonly maxTokens: number;
  readonly order: number;
  readonly speculative: Speculative | undefined;
  readonly adapter: EngineAdapter | undefined;
  readonly reusableTokens: number;
  /** Tokens that it is expected to generate in all; grows when it generates more. */
  predictedTokens: number;
  /** Place in the cache while it runs. */
  cached: CachedSequence | undefined;
  /** Tables that its positions are looked up in. */
  variant = 0;
  /** Tokens of the prompt that need not be computed; -1 before the first admission. */
  cachedTokens = -1;
  isAborted = false;

  constructor(options: SequenceOptions) {
    const { prompt, sampler, stopIds, maxTokens, order, predictedTokens, speculative, adapter } = options;
    this.ids = Array.from(prompt);
    this.promptLength = this.ids.length;
    this.isPromptOpen = options.isPromptOpen ?? false;
    this.reusableTokens = options.reusableTokens ?? Number.POSITIVE_INFINITY;
    this.sampler = sampler;
    this.stopIds = stopIds;
    this.maxTokens = maxTokens;
    this.order = order;
    this.predictedTokens = predictedTokens;
    this.speculative = speculative;
    this.adapter = adapter;
  }

  get generatedTokens(): number {
    return this.ids.length - this.promptLength;
  }

  /** Tokens that must be computed before the next one can be chosen. At least 1 while it runs. */
  get pendingTokens(): number {
    assert(this.cached, "a sequence that runs has a place in the cache");
    return this.ids.length - this.cached.length;
  }

  /** The `count` ids after those in the cache: of the text, then of what is proposed to follow it. */
  upcoming(count: number): readonly number[] {
    const start = this.cached!.length;
    const ids = this.ids.slice(start, start + count);
    return ids.length === count ? ids : [...ids, ...this.speculative!.lookahead.ids.slice(0, count - ids.length)];
  }

  /** Tokens that it is still expected to generate. */
  get remainingTokens(): number {
    return Math.max(0, Math.min(this.maxTokens, this.predictedTokens) - this.generatedTokens);
  }

  /** More of an open prompt has come. */
  feed(ids: ArrayLike<number>): void {
    for (const id of Array.from(ids)) this.ids.push(id);
    this.promptLength = this.ids.length;
    this.sampler.readPrompt(ids);
  }

  finish(reason: EndReason): void {
    this.events.end({
      reason,
      promptTokens: this.promptLength,
      cachedTokens: Math.max(0, this.cachedTokens),
      generatedTokens: this.generatedTokens,
      ...(reason !== "aborted" && { rng: this.sampler.rng }),
    });
  }
}
