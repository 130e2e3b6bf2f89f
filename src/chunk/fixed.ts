/** @file Chunks of a fixed size in tokens, wherever that ends: the baseline that others are measured against. */
import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import { wordBreaks } from "./chunk-breaks.js";
import { packUnits, proseUnits, streamed } from "./streamed.js";

/**
 * As many words as `maxTokens` holds, `overlapTokens` of them repeated; structure and sentences are not looked at. A word
 * is cut only if it fits no chunk.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const fixed: ChunkerDef<ChunkOptions> = streamed("fixed", (window, options) =>
  packUnits(window, proseUnits(window, { format: "plain" }), wordBreaks, options),
);
