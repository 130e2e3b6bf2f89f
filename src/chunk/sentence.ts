/** @file Chunks of whole sentences. */
import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import { sentenceBreaks } from "./chunk-breaks.js";
import { type FormatOptions, packUnits, proseUnits, streamed } from "./streamed.js";

export interface SentenceChunkOptions extends ChunkOptions, FormatOptions {}

/**
 * As many whole sentences as `maxTokens` holds; lines of code and rows of tables count as sentences. One that fits no
 * chunk is cut between its lines, then words.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const sentence: ChunkerDef<SentenceChunkOptions> = streamed("sentence", (window, options) =>
  packUnits(window, proseUnits(window, options), sentenceBreaks, options),
);
