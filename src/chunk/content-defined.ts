/** @file Chunks whose edges the text around them decides, so that an edit changes the chunks it touches and few others. */
import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import type { ChunkBreaks } from "./chunk-breaks.js";
import { type FormatOptions, packUnits, proseUnits, streamed } from "./streamed.js";
import { Strength } from "./strength.js";
import type { TextWindow } from "./text-window.js";

export interface ContentDefinedOptions extends ChunkOptions, FormatOptions {}

/** A chunk ends no earlier than at this share of `maxTokens`, so that there is a choice of places and a size to expect. */
const MIN_FILL = 0.25;
/** Code units of a unit that are hashed. */
const HASHED = 64;

/**
 * Chunks between a quarter of `maxTokens` and `maxTokens`, each ended at the boundary among those within reach that ranks
 * first by structure and then by a hash of what follows it. Since neither depends on where the chunk began, two versions
 * of a text fall into step again soon after the place where they differ, as in content-defined chunking of files
 * (local maximum chunking: Bjørner et al. 2010, doi:10.1145/1867713.1867718). What an edit leaves alone keeps its text,
 * and so its hash, its place in a cache and its vector.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const contentDefined: ChunkerDef<ContentDefinedOptions> = streamed("content-defined", (window, options) =>
  packUnits(window, proseUnits(window, options), contentBreaks(window), options),
);

const contentBreaks = (window: TextWindow): ChunkBreaks => ({
  end: (queue, first, room) => {
    let best = -1;
    let bestRank = -1;
    for (let end = first + 1; ; end++) {
      if (!queue.has(end) || queue.at(end).strength === Strength.must) return end;
      if (best < 0 || queue.tokens(first, end) >= room * MIN_FILL) {
        const { start, strength } = queue.at(end);
        const rank = strength + hash(window, start) / 2 ** 32;
        if (rank > bestRank || queue.tokens(first, best) < room * MIN_FILL) {
          best = end;
          bestRank = rank;
        }
      }
      if (!queue.fits(first, end + 1, room)) return best;
    }
  },
});

/** FNV-1a of the text at `start`. */
function hash({ text, base }: TextWindow, start: number): number {
  let sum = 0x811c9dc5;
  const from = start - base;
  const to = Math.min(text.length, from + HASHED);
  for (let i = from; i < to; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}
