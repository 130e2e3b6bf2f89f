/** @file Makes tokens of prompt and text less likely by a factor. */

import { ConfigError } from "../../../base/errors.js";
import type { LogitsProcessor } from "./processor.js";

export const repetitionPenalty: LogitsProcessor = {
  name: "repetitionPenalty",
  open({ repetitionPenalty: penalty = 1 }) {
    if (!(penalty > 0 && penalty < Number.POSITIVE_INFINITY))
      throw new ConfigError(`repetitionPenalty must be a number above 0, got ${penalty}`);
    if (penalty === 1) return undefined;
    return (logits, { prompt, counts }) => {
      const penalise = (id: number): void => {
        const logit = logits[id]!;
        logits[id] = logit > 0 ? logit / penalty : logit * penalty;
      };
      for (const id of prompt) penalise(id);
      for (const id of counts.keys()) if (!prompt.has(id)) penalise(id);
    };
  },
};
