/** @file Layers that see a window keep only the rows of that window. */

import type { CachePolicy } from "./cache.js";
import type { Retention } from "./slot-buffers.js";
import { retainAll, SlotCache } from "./slots.js";

/** Rows of a window are moved down once this share of new ones has come, so that a token pays for few. */
const SLACK = 0.25;

/**
 * As `contiguous` for layers that see everything. A layer with a window of W keeps W - 1 rows and room for new ones, and
 * moves them down when the room is used up. Once rows were dropped a slot serves only texts that go on from its end.
 */
export const slidingWindow: CachePolicy = {
  name: "sliding-window",
  isLossless: true,
  create: (model, options) => {
    const { contextLength, prefillTokens } = options;
    const windowed = (window: number): Retention => {
      const recent = window - 1;
      const capacity = recent + Math.max(prefillTokens, Math.ceil(SLACK * window));
      return capacity < contextLength ? { group: `.${window}`, sinks: 0, recent, capacity } : retainAll(contextLength);
    };
    return new SlotCache(model, options, {
      retain: ({ window }) => (window === undefined ? retainAll(contextLength) : windowed(window)),
      positionOf: ({ ids }) => ids.length,
      maxTokens: contextLength,
      numPositions: contextLength,
    });
  },
};
