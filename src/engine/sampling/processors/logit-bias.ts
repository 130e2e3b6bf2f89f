/** @file Adds numbers to the logits of given tokens. */

import { checkId, checkRange, type LogitsProcessor } from "./processor.js";

export const logitBias: LogitsProcessor = {
  name: "logitBias",
  open({ logitBias: bias }, { vocabSize }) {
    if (bias === undefined || bias.size === 0) return undefined;
    for (const [id, value] of bias) {
      checkId("logitBias", id, vocabSize);
      checkRange(`logitBias of token ${id}`, value, -100, 100);
    }
    return (logits) => {
      for (const [id, value] of bias) logits[id]! += value;
    };
  },
};
