/** @file What it takes to answer from a document that is longer than the model's context, and what comes of it. */

import type { Span, TokenCounter } from "../../chunk/index.js";
import type { Template } from "./template.js";

/** Whatever writes an answer to a prompt: a model in this process, or a server. */
export interface ReadingModel {
  /** What decides its answers beside the prompt: model, weights, sampling. A part of the keys of stored results. */
  readonly id: string;
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  readonly counter: TokenCounter;
  /** Tokens of a prompt with what the model expects around it. */
  countPrompt(prompt: string): number | Promise<number>;
  generate(prompt: string, options: { readonly maxTokens: number; readonly signal: AbortSignal }): Promise<string>;
}

/** Answers by what they were answers to. `set` is awaited before an answer counts. */
export interface ResultStore {
  get(key: string): string | undefined | Promise<string | undefined>;
  set(key: string, text: string): unknown;
}

export interface ReadingRequest {
  readonly document: string;
  /** A question about the document, or what to do with it. */
  readonly task: string;
  /** Most tokens of each answer. Default: a quarter of the context, at most 512. */
  readonly answerTokens?: number;
  /** Calls that run at once where they do not wait for each other. Default 4. */
  readonly concurrency?: number;
  /** How the document is written. Default markdown. */
  readonly format?: "markdown" | "plain";
  /** Tokens that a chunk repeats from the one before. Default 0. */
  readonly overlapTokens?: number;
  /** Prompts in place of the strategy's own, by their names there. */
  readonly templates?: Readonly<Record<string, Template>>;
  /** Where answers are kept: a reading that was cut short goes on, and an edited document costs what changed. */
  readonly results?: ResultStore;
  readonly signal?: AbortSignal;
  /** Hears of each answer as it comes, in no order. */
  readonly onPart?: (part: Part) => void;
}

/** One answer on the way. */
export interface Part {
  /** 0 for those from the document's text, above for those from other answers. */
  readonly level: number;
  /** Place among those of its level. */
  readonly index: number;
  readonly text: string;
  /** Where in the document it comes from, in order. */
  readonly spans: readonly Span[];
  readonly numPromptTokens: number;
  /** It was in the store. */
  readonly isKnown: boolean;
}

/** Equal answers of several parts. */
export interface Votes {
  /** As the first of them was written. */
  readonly text: string;
  readonly count: number;
  readonly spans: readonly Span[];
}

export interface Reading {
  readonly text: string;
  /** All answers, by level and place. */
  readonly parts: readonly Part[];
  /** What was read and why, where that was not all. */
  readonly note?: string;
  /** Of a vote, most first. */
  readonly votes?: readonly Votes[];
}

/** A way to read. Registered in `index.ts`. */
export interface ReadingStrategy {
  readonly name: string;
  /** The prompts that it uses, by name. */
  readonly templates: Readonly<Record<string, Template>>;
  /**
   * @throws CapacityError when the prompts leave no room for text; ReadingError when a call fails; ConfigError for options
   * or templates that cannot be used.
   */
  read(model: ReadingModel, request: ReadingRequest): Promise<Reading>;
}

/** What a part writes that has nothing to say. The prompts of the strategies name it. */
export const NO_ANSWER = "NONE";

export const saysNothing = (text: string): boolean => /^["'(]?none["').]*$/i.test(text.trim()) || text.trim() === "";
