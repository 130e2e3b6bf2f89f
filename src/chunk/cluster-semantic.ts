/** @file Chunks whose parts are most alike, chosen together for the whole text. */
import type { EmbeddingChunkerDef, EmbeddingChunkOptions } from "./chunk.js";
import { sentenceBreaks } from "./chunk-breaks.js";
import type { Run } from "./packer.js";
import { checkWhole, dot, embedAll, piecesOf, regroup } from "./regroup.js";
import { checkSizes, type FormatOptions } from "./streamed.js";

export interface ClusterSemanticOptions extends EmbeddingChunkOptions, FormatOptions {
  /** Size of the pieces that chunks are put together from; at most `maxTokens`. Default 50, or `maxTokens` if that is less. */
  readonly pieceTokens?: number;
}

/**
 * Chroma's cluster-semantic chunker (Smith and Troynikov 2024, "Evaluating Chunking Strategies for Retrieval"): pieces of whole
 * sentences are embedded, and of all ways to join neighbours into chunks of at most `maxTokens` the one is taken whose sum of
 * similarities within chunks, each less the mean of all pairs, is greatest. Exact, by dynamic programming: time in proportion
 * to pieces times pieces per chunk, but for the mean, which takes one sum over the vectors.
 * @throws ConfigError if an option is out of range.
 * @throws CapacityError if one code point has more than `pieceTokens` tokens.
 */
export const clusterSemantic: EmbeddingChunkerDef<ClusterSemanticOptions> = {
  name: "cluster-semantic",
  unit: "tokens",
  async *chunk(text, options) {
    const { pieceTokens = Math.min(50, options.maxTokens), maxTokens, overlapTokens = 0 } = options;
    checkSizes(options);
    checkWhole("pieceTokens", pieceTokens, 1);
    const pieces = piecesOf(text, sentenceBreaks, { ...options, maxTokens: Math.min(pieceTokens, maxTokens) });
    const vectors = await embedAll(
      options.embed,
      pieces.map(({ chunk }) => chunk.text),
    );
    yield* regroup(text, pieces, bestStarts(pieces, vectors, maxTokens - overlapTokens), options);
  },
};

/** Indices of the pieces that begin the chunks of the best segmentation. */
function bestStarts(pieces: readonly Run[], vectors: readonly Float32Array[], maxTokens: number): Set<number> {
  const mean = meanSimilarity(vectors);
  /** Reward of the best segmentation of the pieces before an index, and where its last chunk begins. */
  const best = [0];
  const lastStart = [0];
  for (let end = 1; end <= pieces.length; end++) {
    let [reward, tokens] = [0, 0];
    let [found, start] = [Number.NEGATIVE_INFINITY, end - 1];
    for (let i = end - 1; i >= 0; i--) {
      tokens += pieces[i]!.chunk.numTokens;
      if (tokens > maxTokens && i < end - 1) break;
      // each pair counts twice in the sum over the matrix
      for (let j = i + 1; j < end; j++) reward += 2 * (dot(vectors[i]!, vectors[j]!) - mean);
      if (reward + best[i]! > found) [found, start] = [reward + best[i]!, i];
    }
    best.push(found);
    lastStart.push(start);
  }
  const starts = new Set<number>();
  for (let end = pieces.length; end > 0; end = lastStart[end]!) starts.add(lastStart[end]!);
  return starts;
}

/** Mean scalar product of all pairs of different vectors: (|Σv|² − Σ|v|²) / (n (n − 1)). */
function meanSimilarity(vectors: readonly Float32Array[]): number {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  let own = 0;
  for (const vector of vectors) {
    own += dot(vector, vector);
    for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  }
  const whole = sum.reduce((total, value) => total + value * value, 0);
  return (whole - own) / Math.max(1, vectors.length * (vectors.length - 1));
}
