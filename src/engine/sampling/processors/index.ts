/** @file Steps that change logits, in the order in which they run. */

import { bannedIds } from "./banned-ids.js";
import { frequencyPenalty } from "./frequency-penalty.js";
import { logitBias } from "./logit-bias.js";
import { minTokens } from "./min-tokens.js";
import { presencePenalty } from "./presence-penalty.js";
import type { LogitsProcessor } from "./processor.js";
import { repetitionPenalty } from "./repetition-penalty.js";

export const logitsProcessors = {
  logitBias,
  repetitionPenalty,
  frequencyPenalty,
  presencePenalty,
  bannedIds,
  minTokens,
} as const satisfies Readonly<Record<string, LogitsProcessor>>;
