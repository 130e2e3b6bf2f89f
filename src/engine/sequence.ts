/** @file One request in the engine: its tokens, its place in the cache, and where its events go. */

import { assert } from "../base/errors.js";
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
}

export class Sequence implements Running {
  /** Prompt and text. */
  readonly ids: number[];
  readonly promptLength: number;
  readonly events = new EventQueue<SampledToken, GenerationEnd>();
  readonly sampler: Sampler;
  readonly stopIds: ReadonlySet<number>;
  readonly maxTokens: number;
  readonly order: number;
  readonly speculative: Speculative | undefined;
  readonly adapter: EngineAdapter | undefined;
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

  finish(reason: EndReason): void {
    this.events.end({
      reason,
      promptTokens: this.promptLength,
      cachedTokens: Math.max(0, this.cachedTokens),
      generatedTokens: this.generatedTokens,
    });
  }
}
