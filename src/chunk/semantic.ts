/** @file Chunks that end where neighbouring sentences are least alike. */
import { ConfigError } from "../base/errors.js";
import type { EmbeddingChunkerDef, EmbeddingChunkOptions } from "./chunk.js";
import { singleSentenceBreaks } from "./chunk-breaks.js";
import { checkWhole, dot, embedAll, piecesOf, regroup } from "./regroup.js";
import { checkSizes, type FormatOptions } from "./streamed.js";

export interface SemanticOptions extends EmbeddingChunkOptions, FormatOptions {
  /** Distances above this percentile of the text's, from 0 to 100, part chunks. Default 95. */
  readonly percentile?: number;
  /** Sentences on each side that are embedded together with one, so that a short one says enough. Default 1. */
  readonly bufferSentences?: number;
}

/**
 * Greg Kamradt's semantic splitter ("5 Levels of Text Splitting", level 4): each sentence is embedded with its neighbours,
 * and a chunk ends where the cosine distance to the next such group exceeds a percentile of all. Chunks that come out larger
 * than `maxTokens` are cut between sentences. Embeds each sentence once; reads the whole text.
 * @throws ConfigError if an option is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const semantic: EmbeddingChunkerDef<SemanticOptions> = {
  name: "semantic",
  unit: "tokens",
  async *chunk(text, options) {
    const { percentile = 95, bufferSentences = 1 } = options;
    checkSizes(options);
    checkWhole("bufferSentences", bufferSentences, 0);
    if (!(percentile >= 0 && percentile <= 100)) {
      throw new ConfigError(`chunk: percentile must be from 0 to 100, not ${percentile}`);
    }
    const pieces = piecesOf(text, singleSentenceBreaks, options);
    const groups = pieces.map((_, i) => {
      const first = pieces[Math.max(0, i - bufferSentences)]!.chunk;
      const last = pieces[Math.min(pieces.length - 1, i + bufferSentences)]!.chunk;
      return text.slice(first.start, last.end);
    });
    const vectors = await embedAll(options.embed, groups);
    const distances = vectors.slice(1).map((vector, i) => 1 - dot(vectors[i]!, vector));
    const threshold = percentileOf(distances, percentile);
    const starts = new Set(distances.flatMap((distance, i) => (distance > threshold ? [i + 1] : [])));
    yield* regroup(text, pieces, starts, options);
  },
};

/** By linear interpolation between the two values around it, as NumPy does. */
function percentileOf(values: readonly number[], percentile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = ((sorted.length - 1) * percentile) / 100;
  const low = sorted[Math.floor(rank)] ?? 0;
  const high = sorted[Math.ceil(rank)] ?? 0;
  return low + (high - low) * (rank - Math.floor(rank));
}
