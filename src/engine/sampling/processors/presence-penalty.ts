/** @file Makes tokens less likely once they were generated. */

import { checkRange, type LogitsProcessor } from "./processor.js";

export const presencePenalty: LogitsProcessor = {
  name: "presencePenalty",
  open({ presencePenalty: penalty = 0 }) {
    checkRange("presencePenalty", penalty, -2, 2);
    if (penalty === 0) return undefined;
    return (logits, { counts }) => {
      for (const id of counts.keys()) logits[id]! -= penalty;
    };
  },
};
