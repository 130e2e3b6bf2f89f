/** @file What a KV-cache policy is: how rows of keys and values are kept, and what attention is fed from them. */

import type { LanguageModel } from "../../nn/index.js";
import type { Feeds } from "../../runtime/index.js";
import type { CachedAttention } from "../step-graph.js";

/** Runs of at most this many new tokens come again: those of decoding, and of proposals that are verified. */
export const MAX_REPEATED = 16;

export interface CacheOptions {
  /** Most tokens of one sequence. */
  readonly contextLength: number;
  /** Most sequences that are open at once. */
  readonly maxSequences: number;
  /** Most new tokens of one run. */
  readonly prefillTokens: number;
  /** Most bytes of keys and values. Default: what `maxSequences` of `contextLength` take. */
  readonly cacheBytes?: number;
}

/** A policy: one file and one line of the registry. */
export interface CachePolicy {
  readonly name: string;
  /** Whether every token is as if all keys and values were kept. */
  readonly isLossless: boolean;
  /** Why the last tokens of a sequence cannot be taken back; absent where they can, as speculation needs it. */
  readonly noTruncation?: string;
  /** @throws UnsupportedError when the model does not fit it; CapacityError when no sequence fits the memory. */
  create(model: LanguageModel, options: CacheOptions): KvCache;
}

/** One sequence in a cache. */
export interface CachedSequence {
  /** Tokens whose keys and values are known, those found when it was opened included. */
  readonly length: number;
  /** Position of the next token as the model is to see it. */
  readonly nextPosition: number;
  /** Makes room for tokens up to `length`. False, with nothing changed, where memory lacks. */
  reserve(length: number): boolean;
  /**
   * Forgets all tokens from `length` on, as if they had never come; memory that was reserved for more is given back.
   * Those of the last run can always be forgotten.
   * @throws CapacityError when rows are gone that a text of this length sees.
   */
  truncate(length: number): void;
  /** Gives the memory back. What was computed may still serve others until it is needed. */
  close(): void;
}

/** What one run of the model is fed and writes. */
export interface CacheStep {
  readonly feeds: Feeds;
  readonly into: Feeds;
  /** Steps of equal keys have the same tensors, so that a binding of theirs can be used again. */
  readonly key?: string;
}

export interface OpenOptions {
  /** Texts of different variants share nothing: their positions are encoded differently. */
  readonly variant: number;
  /** Tokens for which memory must be left beside the text, for what others and this one will generate. */
  readonly reserveTokens: number;
}

export interface CacheUsage {
  /** Bytes of all keys and values that fit. */
  readonly capacityBytes: number;
  /** Bytes that open sequences hold; rows that several share count once. */
  readonly usedBytes: number;
  /** Share of `usedBytes` in which nothing is stored. */
  readonly waste: number;
  /** Units of memory (blocks, or slots of whole sequences): all, and those that open sequences hold. */
  readonly blocks: number;
  readonly usedBlocks: number;
}

export interface KvCache {
  readonly attention: CachedAttention;
  /** Most tokens of one sequence; infinite where old ones make room. */
  readonly maxTokens: number;
  /** Positions that the model's tables must have. */
  readonly numPositions: number;
  /**
   * A sequence for `text`. It begins with what is already known of the text's start, all but the last token at most.
   * Undefined where memory lacks.
   */
  open(text: readonly number[], options: OpenOptions): CachedSequence | undefined;
  /**
   * What a run with `count` new tokens of each sequence is fed; several sequences only where `count` is 1. Room must have
   * been reserved, and no run may be in flight.
   */
  step(batch: readonly CachedSequence[], count: number): CacheStep;
  /** Keeps what the run of `step` computed. `ids` are the new tokens of each sequence. */
  commit(batch: readonly CachedSequence[], ids: readonly (readonly number[])[], step: CacheStep): void;
  usage(): CacheUsage;
}
