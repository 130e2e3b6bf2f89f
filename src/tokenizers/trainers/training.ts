/** @file What all trainers share: texts, options, progress, and the refusal of sizes that cannot be reached. */

import { ConfigError } from "../../base/errors.js";

/** Texts to learn from, in memory or as a stream. Each is read once. */
export type TrainingTexts = Iterable<string> | AsyncIterable<string>;

export interface TrainingProgress {
  readonly phase: "read" | "seed" | "estimate" | "prune" | "merge";
  /** Texts read, pieces left or tokens learned. */
  readonly done: number;
  /** Where `done` goes; unknown while texts are read, as they may be a stream. */
  readonly total?: number;
}

export type ProgressListener = (progress: TrainingProgress) => void;

export interface TrainingOptions {
  /** Number of ids, special tokens included. Reached exactly. */
  readonly vocabSize: number;
  /** Take the first ids, in this order. They are not looked for in the texts. */
  readonly specialTokens?: readonly string[];
  /** Fewest occurrences of what becomes a token, characters aside. Default 2: what occurs once teaches nothing. */
  readonly minFrequency?: number;
  /** Characters that get a token whether or not they occur. */
  readonly initialAlphabet?: Iterable<string>;
  /** Most characters with a token of their own: the initial ones, then the most frequent. Default: all. */
  readonly limitAlphabet?: number;
  readonly onProgress?: ProgressListener;
}

/** @throws ConfigError when a number is not an integer from `least` to `most`. */
export function checkInteger(trainer: string, name: string, value: number, least: number, most = 2 ** 31 - 1): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new ConfigError(`${trainer} training: ${name} must be an integer from ${least} to ${most}, got ${value}`);
}

/** @throws ConfigError when the tokens that are there from the start do not fit, naming the size that does. */
export function checkRoom(trainer: string, vocabSize: number, given: Readonly<Record<string, number>>): void {
  const least = Object.values(given).reduce((sum, count) => sum + count, 0);
  if (Number.isInteger(vocabSize) && vocabSize >= least) return;
  const parts = Object.entries(given).map(([what, count]) => `${count} ${what}`);
  throw new ConfigError(
    `${trainer} training: vocabSize must be an integer from ${least} on (${parts.join(", ")}), got ${vocabSize}; ` +
      "the nearest that works is " +
      `${least}, and limitAlphabet makes room`,
  );
}

/** The error for texts that do not hold as many tokens as were asked for. */
export function tooFewTokens(trainer: string, asked: number, most: number, minFrequency: number): ConfigError {
  return new ConfigError(
    `${trainer} training: the texts give ${most} tokens and vocabSize ${asked} was asked for; ` +
      `ask for ${most} or fewer, give more text${minFrequency > 1 ? `, or lower minFrequency (${minFrequency})` : ""}`,
  );
}
