/** @file Where a chunk ends: at the last of the strongest boundaries within reach, as a recursive splitter would. */
import type { ChunkBreaks } from "./chunk-breaks.js";
import { headingStrength, Strength } from "./strength.js";
import type { CountedUnit } from "./token-sums.js";
import type { UnitQueue } from "./unit-queue.js";

/** How full a chunk must be, as a share of its limit, to end early for the sake of structure. */
const MIN_FILL = 0.25;

/** The structure of the text decides; a block that fits a chunk stays whole. */
export const structureBreaks: ChunkBreaks = {
  end: (queue, first, room, maxTokens) => chunkEnd(queue, first, room, maxTokens * MIN_FILL),
  wholeTokens: (queue, first) => {
    const end = queue.elementEnd(first);
    return end < 0 ? 0 : queue.tokens(first, end);
  },
};

/**
 * End of the chunk that begins with unit `first` and holds at most `maxTokens`, though at least one unit.
 *
 * The chunk takes in what fits. It stops before a heading that would lead out of its section, and otherwise goes back to
 * the last of the strongest boundaries, so that a section or block that fits a chunk is not cut. A chunk that would be
 * less than `minTokens` full goes on into a section that has to be cut anyway, but into no block that fits.
 */
function chunkEnd(queue: UnitQueue, first: number, maxTokens: number, minTokens: number): number {
  const ceiling = highestInside(queue.at(first));
  let reach = first + 1;
  for (; ; reach++) {
    if (!queue.has(reach)) return reach;
    const { strength } = queue.at(reach);
    if (strength === Strength.must) return reach;
    if (strength > ceiling && queue.tokens(first, reach) >= minTokens) return reach;
    if (!queue.fits(first, reach + 1, maxTokens)) break;
  }
  let end = lastStrongest(queue, first + 1, reach);
  while (end < reach && queue.tokens(first, end) < minTokens && queue.elementEnd(end) < 0) {
    const blockEnd = queue.elementEnd(end, Strength.introduced);
    if (blockEnd > reach) break;
    end = lastStrongest(queue, Math.max(blockEnd, end + 1), reach);
  }
  return end;
}

/** Strength of the highest heading that does not lead out of where the unit stands: a sibling, or one level down. */
function highestInside({ level, section }: CountedUnit): number {
  return headingStrength(level > 0 ? level : section.level + 1);
}

/** Index in `[from, to]` of the last unit with the strongest boundary in front. */
function lastStrongest(queue: UnitQueue, from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i <= to; i++) {
    if (queue.at(i).strength >= queue.at(best).strength) best = i;
  }
  return best;
}
