/** @file Log-probabilities of the chosen token and of the likeliest ones. */

import { indexOfLargest, indicesOfLargest } from "./select.js";

export interface TokenLogprob {
  readonly id: number;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

export interface Logprobs {
  /** Of the chosen token. */
  readonly logprob: number;
  /** The likeliest tokens, likeliest first. */
  readonly top: readonly TokenLogprob[];
}

/** From logits [V]: of `id` and of the `numTop` largest. */
export function logprobsOf(logits: Float32Array, id: number, numTop: number): Logprobs {
  const largest = logits[indexOfLargest(logits)]!;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - largest);
  const logTotal = largest + Math.log(total);
  const top = Array.from(indicesOfLargest(logits, logits.length, numTop), (likely) => ({
    id: likely,
    logprob: logits[likely]! - logTotal,
  }));
  return { logprob: logits[id]! - logTotal, top };
}
