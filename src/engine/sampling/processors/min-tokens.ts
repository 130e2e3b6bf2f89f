/** @file Keeps a text from ending early. */

import { ConfigError } from "../../../base/errors.js";
import type { LogitsProcessor } from "./processor.js";

export const minTokens: LogitsProcessor = {
  name: "minTokens",
  open({ minTokens: least = 0 }, { stopIds }) {
    if (!(Number.isInteger(least) && least >= 0))
      throw new ConfigError(`minTokens must be a whole number from 0, got ${least}`);
    if (least === 0 || stopIds.size === 0) return undefined;
    return (logits, { numGenerated }) => {
      if (numGenerated < least) for (const id of stopIds) logits[id] = Number.NEGATIVE_INFINITY;
    };
  },
};
