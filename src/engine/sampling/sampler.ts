/** @file From logits to a token: greedy, temperature, top-k and top-p. */

import { ConfigError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";

export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the largest. Default 0. */
  readonly temperature?: number;
  /** Only the k largest logits. Default: all. */
  readonly topK?: number;
  /** Only the fewest tokens whose probabilities reach p (Holtzman et al. 2020, arXiv:1904.09751). Default 1: all. */
  readonly topP?: number;
}

/** @throws ConfigError naming the option that is out of range. */
export function checkSampling({ temperature = 0, topK, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0)) throw new ConfigError(`temperature must be 0 or more, got ${temperature}`);
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1))
    throw new ConfigError(`topK must be a whole number from 1, got ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw new ConfigError(`topP must be above 0 and at most 1, got ${topP}`);
}

/** Draws a token id. Greedy choice draws nothing from `rng`; ties go to the smaller id. */
export function sample(logits: Float32Array, { temperature = 0, topK, topP = 1 }: SamplingOptions, rng: Rng): number {
  if (temperature === 0 || topK === 1) return indexOfLargest(logits);
  const largest = logits[indexOfLargest(logits)]!;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const isCut = topP < 1 || (topK !== undefined && topK < logits.length);
  const candidates = isCut ? cut(weights, topK ?? logits.length, topP) : undefined;
  const weightOf = (i: number): number => weights[candidates ? candidates[i]! : i]!;
  const count = candidates?.length ?? weights.length;
  let total = 0;
  for (let i = 0; i < count; i++) total += weightOf(i);
  let rest = rng.uniform() * total;
  for (let i = 0; i < count; i++) {
    rest -= weightOf(i);
    if (rest < 0) return candidates?.[i] ?? i;
  }
  return candidates?.at(-1) ?? count - 1;
}

/** Ids of the `k` largest weights, then as many of them as it takes to reach a share `p`. */
function cut(weights: Float64Array, k: number, p: number): number[] {
  const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const kept = order.slice(0, k);
  const goal = p * kept.reduce((sum, id) => sum + weights[id]!, 0);
  let sum = 0;
  const end = kept.findIndex((id) => {
    sum += weights[id]!;
    return sum >= goal;
  });
  return kept.slice(0, end < 0 ? kept.length : end + 1);
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
