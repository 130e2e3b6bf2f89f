/** @file Every key and value of a sequence, one after another: the fastest to read, with memory reserved for the longest. */

import type { CachePolicy } from "./cache.js";
import { retainAll, SlotCache } from "./slots.js";

/**
 * A slot of `contextLength` rows per sequence. A later text that begins as a slot does, running or not, starts with a copy
 * of those rows: a prefix is computed once and held once for each who uses it.
 */
export const contiguous: CachePolicy = {
  name: "contiguous",
  isLossless: true,
  create: (model, options) => {
    const { contextLength } = options;
    return new SlotCache(model, options, {
      retain: () => retainAll(contextLength),
      positionOf: ({ ids }) => ids.length,
      maxTokens: contextLength,
      numPositions: contextLength,
    });
  },
};
