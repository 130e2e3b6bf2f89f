/** @file The whole document, where it fits. */

import type { ContextStrategy } from "./context.js";

export const whole: ContextStrategy = {
  name: "whole",
  async pack({ document, counter, budget }) {
    const numTokens = counter.count(document);
    if (numTokens > budget) return undefined;
    return { text: document, spans: [{ start: 0, end: document.length, score: 1 }], numTokens };
  },
};
