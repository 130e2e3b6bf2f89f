/** @file Proposals from the text itself: what followed the latest tokens when they came before. */

import { ConfigError } from "../../base/errors.js";
import type { Proposal } from "../sampling/proposal.js";
import type { Proposer, Speculation } from "./proposer.js";

export interface NgramLookupOptions {
  /** Fewest tokens that must have come before. Default 2. */
  readonly min?: number;
  /** Most tokens that are looked for; the longest that is found counts. Default 4. */
  readonly max?: number;
  /** Most tokens to propose. Default 10. */
  readonly tokens?: number;
}

/**
 * The tokens after the latest earlier place where the text's last `size` tokens stand, for the largest size from `max` down
 * to `min`; at most `limit`.
 */
export function followers(
  ids: readonly number[],
  { min, max, limit }: { readonly min: number; readonly max: number; readonly limit: number },
): readonly number[] {
  let [bestSize, bestEnd] = [min - 1, 0];
  const last = ids.length - 1;
  for (let end = last - 1; end >= min - 1 && bestSize < max; end--) {
    let size = 0;
    while (size < max && size <= end && ids[end - size] === ids[last - size]) size++;
    if (size > bestSize) [bestSize, bestEnd] = [size, end];
  }
  return bestSize < min ? [] : repeated(ids, bestEnd + 1, limit);
}

/** Tokens from `start` on; where the text ends they go on from `start`, as a loop does. */
function repeated(ids: readonly number[], start: number, limit: number): number[] {
  const period = ids.length - start;
  return Array.from({ length: limit }, (_, i) => ids[start + (i % period)]!);
}

/**
 * Prompt lookup: answers that copy from their prompt, and texts that repeat themselves, need no draft model (LLMA, Yang et al.
 * 2023, arXiv:2304.04487). Token for token what the model writes without it, also when it samples.
 * @throws ConfigError when an option is not a whole number from 1, or `min` is above `max`.
 */
export function ngramLookup({ min = 2, max = 4, tokens = 10 }: NgramLookupOptions = {}): Speculation {
  for (const [name, value] of Object.entries({ min, max, tokens })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ConfigError(`n-gram lookup: ${name} must be a whole number from 1, got ${value}`);
  }
  if (min > max) throw new ConfigError(`n-gram lookup: min (${min}) must not be above max (${max})`);
  const proposer: Proposer = {
    cost: 0,
    shapesText: () => false,
    propose: async (requests) =>
      requests.map(({ ids, limit }): Proposal[] => {
        return limit === 0 ? [] : followers(ids, { min, max, limit }).map((id) => ({ id }));
      }),
    close: () => {},
  };
  return { name: "ngram", isLossless: true, maxTokens: tokens, open: async () => proposer };
}
