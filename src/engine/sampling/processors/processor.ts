/** @file A step that changes logits, in place, before anything is chosen. */

import { ConfigError } from "../../../base/errors.js";
import type { SamplingOptions, SamplingRequest, TokenHistory } from "../options.js";

export interface LogitsProcessor {
  /** The option that asks for it. */
  readonly name: keyof SamplingOptions;
  /**
   * The step for a request; undefined where its options do not ask for one.
   * @throws ConfigError naming an option that is out of range.
   */
  open(options: SamplingOptions, request: SamplingRequest): LogitsStep | undefined;
}

/** Changes logits [V]. */
export type LogitsStep = (logits: Float32Array, history: TokenHistory) => void;

/** @throws ConfigError when a number is outside [from, to]. */
export function checkRange(name: string, value: number, from: number, to: number): void {
  if (!(value >= from && value <= to)) throw new ConfigError(`${name} must be from ${from} to ${to}, got ${value}`);
}

/** @throws ConfigError when `id` is not below `vocabSize`. */
export function checkId(name: string, id: number, vocabSize: number): void {
  if (!(Number.isInteger(id) && id >= 0 && id < vocabSize))
    throw new ConfigError(`${name}: token id ${id} is outside the vocabulary of ${vocabSize}`);
}
