/** @file BiLD: a small model writes, and a large one takes over where the small one is unsure or went wrong. */

import { ConfigError } from "../../base/errors.js";
import { checkDraft, type DraftModelOptions, openDraft } from "./draft-model.js";
import type { Speculation } from "./proposer.js";

export interface BildOptions extends DraftModelOptions {
  /** Fallback threshold: the small model hands over where its largest probability is below it, from 0 to 1. Default 0.6. */
  readonly fallback?: number;
  /**
   * Rollback threshold, from 0, in nats: the text goes back to the first token of the small model whose cross-entropy under
   * the large one is above it. Default 2; 0 gives the large model's text.
   */
  readonly rollback?: number;
}

/**
 * Big little decoder (Kim et al. 2023, arXiv:2302.07863, section 3.2 and 3.3): the large model looks at what the small one
 * wrote, all tokens in one run, whenever that falls back. Not lossless: tokens of the small model stay that the large one
 * would not have chosen but does not find surprising.
 * @throws ConfigError for thresholds out of range, and as `draftModel`.
 */
export function bild({ tokens = 10, fallback = 0.6, rollback = 2, ...draft }: BildOptions): Speculation {
  checkDraft("BiLD", { ...draft, tokens });
  if (!(fallback >= 0 && fallback <= 1)) throw new ConfigError(`BiLD: fallback must be from 0 to 1, got ${fallback}`);
  if (!(rollback >= 0)) throw new ConfigError(`BiLD: rollback must be 0 or more, got ${rollback}`);
  return {
    name: "bild",
    isLossless: false,
    maxTokens: tokens,
    open: (target) =>
      openDraft(draft, target, {
        isSure: (logits) => largestProbability(logits) >= fallback,
        mark: ({ id }) => ({ id, tolerance: rollback }),
      }),
  };
}

function largestProbability(logits: Float32Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  return 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
}
