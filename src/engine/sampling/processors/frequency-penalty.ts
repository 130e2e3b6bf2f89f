/** @file Makes tokens less likely with each time that they were generated. */

import { checkRange, type LogitsProcessor } from "./processor.js";

export const frequencyPenalty: LogitsProcessor = {
  name: "frequencyPenalty",
  open({ frequencyPenalty: penalty = 0 }) {
    checkRange("frequencyPenalty", penalty, -2, 2);
    if (penalty === 0) return undefined;
    return (logits, { counts }) => {
      for (const [id, count] of counts) logits[id]! -= penalty * count;
    };
  },
};
