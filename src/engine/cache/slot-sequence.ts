/** @file One slot: which tokens its rows hold, and which rows were dropped. */

import { CapacityError } from "../../base/errors.js";
import type { CachedSequence } from "./cache.js";

/** A slot of the cache. It outlives the sequence that runs in it, so that a later one may begin with what it holds. */
export interface Slot {
  /** Which stretch of the buffers it has. */
  index: number;
  /** Tokens that were computed, in order. */
  ids: number[];
  /** Tokens whose rows are gone, by group of layers. */
  dropped: Map<string, number>;
  /** Texts of other variants have other keys. */
  variant: number;
  isOpen: boolean;
  /** Grows with every use: the smallest was used longest ago. */
  usedAt: number;
}

/** An empty slot. */
export const emptySlot = (index: number): Slot => ({
  index,
  ids: [],
  dropped: new Map(),
  variant: 0,
  isOpen: false,
  usedAt: 0,
});

/** Tokens of `slot` that a sequence for `text` can begin with, all but the text's last at most. */
export function sharedPrefix({ ids, dropped, variant }: Slot, text: readonly number[], ofVariant: number): number {
  if (variant !== ofVariant) return 0;
  const limit = Math.min(ids.length, text.length - 1);
  let count = 0;
  while (count < limit && ids[count] === text[count]) count++;
  // rows that were dropped cannot come back, so such a slot serves only what goes on from its end
  const isWhole = [...dropped.values()].every((n) => n === 0);
  return isWhole || count === ids.length ? count : 0;
}

/** A sequence in a slot. */
export class SlotSequence implements CachedSequence {
  constructor(
    readonly slot: Slot,
    private readonly maxTokens: number,
    private readonly positionOf: (slot: Slot) => number,
    /** Tokens that must stay: rows that those after them see are gone. */
    private readonly leastOf: (slot: Slot) => number,
  ) {}

  get length(): number {
    return this.slot.ids.length;
  }

  get nextPosition(): number {
    return this.positionOf(this.slot);
  }

  /** A slot has room for a whole sequence. */
  reserve(length: number): boolean {
    return length <= this.maxTokens;
  }

  truncate(length: number): void {
    const least = Math.min(this.leastOf(this.slot), this.length);
    if (length < least || length > this.length) {
      throw new CapacityError(
        `KV cache: a sequence of ${this.length} tokens, which can be cut back to ${least}, was to be cut to ${length}; compute the text anew`,
      );
    }
    this.slot.ids.length = length;
  }

  close(): void {
    this.slot.isOpen = false;
  }
}
