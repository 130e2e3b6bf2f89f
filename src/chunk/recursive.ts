/** @file The structure-aware chunker: sections, blocks, lines, sentences, words, graphemes; the largest that fits. */

import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import { type FormatOptions, packUnits, proseUnits, streamed } from "./streamed.js";
import { structureBreaks } from "./structure-breaks.js";

export interface RecursiveOptions extends ChunkOptions, FormatOptions {}

/**
 * Cuts Markdown or plain text where its structure is strongest: sections and blocks stay whole when they fit, small
 * neighbours share a chunk, and what is too large is cut between lines, sentences, words and at last graphemes.
 * A grapheme of more than `maxTokens` is cut between its code points.
 * Text is read once, each part of it is counted once where counts add up, and no decision looks further than two
 * chunks ahead: the stream gives the same chunks, in memory that depends on `maxTokens` only.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const recursive: ChunkerDef<RecursiveOptions> = streamed("recursive", (window, options) =>
  packUnits(window, proseUnits(window, options), structureBreaks, options),
);
