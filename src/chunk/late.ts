/** @file Late chunking: vectors of chunks from token vectors that have seen the text around them. */
import { ShapeError } from "../base/errors.js";
import type { Chunk, ChunkOptions } from "./chunk.js";
import { recursive } from "./recursive.js";
import type { FormatOptions } from "./streamed.js";

/** The tokens of a text in order: where each begins and ends in it, in code units, and its vector, row by row. */
export interface TokenVectors {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** [tokens, dimension] */
  readonly vectors: Float32Array;
}

export interface LateOptions extends ChunkOptions, FormatOptions {
  /** Contextual vectors of the tokens of a text: the last hidden states of an encoder that reads it at once. */
  readonly embedTokens: (text: string) => Promise<TokenVectors>;
  /** Most tokens, by `counter`, that `embedTokens` reads at once; a longer text is read in overlapping parts. Default 8192. */
  readonly windowTokens?: number;
  /** Tokens that such a part shares with the one before, as context. Default an eighth of `windowTokens`. */
  readonly contextTokens?: number;
}

/** A chunk and the mean of the vectors of its tokens, of length 1; all zero, if no token lies in it. */
export interface LateChunk extends Chunk {
  readonly vector: Float32Array;
}

/**
 * Late chunking (Günther et al. 2024, arXiv:2409.04701): the text is embedded as a whole, token by token, and each chunk's
 * vector is the mean over its own tokens, so that it knows what stands around it. Texts beyond the embedder's window are
 * read in overlapping parts (the paper's algorithm 2); a token's vector comes from the part in which more text precedes it.
 * Chunks are those of `recursive`.
 * @throws ConfigError if a size is out of range.
 * @throws ShapeError if `embedTokens` gives arrays that do not fit together.
 */
export async function* late(text: string, options: LateOptions): AsyncGenerator<LateChunk> {
  const chunks = [...recursive.chunk(text, options)];
  const { counter, windowTokens = 8192, contextTokens = windowTokens >> 3, format } = options;
  const parts = recursive.chunk(text, {
    counter,
    maxTokens: windowTokens,
    overlapTokens: contextTokens,
    ...(format && { format }),
  });
  const pools = chunks.map((chunk) => new Pool(chunk));
  let covered = 0;
  let first = 0;
  for (const part of parts) {
    const tokens = await embedTokens(options, part.text);
    while (first < pools.length && pools[first]!.chunk.end <= covered) yield pools[first++]!.pooled();
    for (let i = first; i < pools.length && pools[i]!.chunk.start < part.end; i++) {
      pools[i]!.add(tokens, part.start, covered);
    }
    covered = part.end;
  }
  for (const pool of pools.slice(first)) yield pool.pooled();
}

async function embedTokens({ embedTokens: embed }: LateOptions, text: string): Promise<TokenVectors> {
  const tokens = await embed(text);
  const { starts, ends, vectors } = tokens;
  if (starts.length !== ends.length || vectors.length % Math.max(1, starts.length) !== 0) {
    throw new ShapeError(
      `late: expected as many starts as ends and vectors of one length, got ${starts.length} starts, ${ends.length} ends and ${vectors.length} values`,
    );
  }
  return tokens;
}

/** Sums the vectors of the tokens that begin in a chunk. */
class Pool {
  readonly chunk: Chunk;
  #sum = new Float64Array();

  constructor(chunk: Chunk) {
    this.chunk = chunk;
  }

  /** Adds tokens of a part of the text that begins at `base`, save those that begin before `from`. */
  add({ starts, ends, vectors }: TokenVectors, base: number, from: number): void {
    const dimension = vectors.length / Math.max(1, starts.length);
    if (this.#sum.length === 0) this.#sum = new Float64Array(dimension);
    for (let i = firstAtLeast(starts, Math.max(this.chunk.start, from) - base); i < starts.length; i++) {
      if (starts[i]! + base >= this.chunk.end) break;
      // marks that the tokenizer adds stand for no text
      if (ends[i]! <= starts[i]!) continue;
      for (let d = 0; d < dimension; d++) this.#sum[d]! += vectors[i * dimension + d]!;
    }
  }

  pooled(): LateChunk {
    const length = Math.hypot(...this.#sum) || 1;
    return { ...this.chunk, vector: Float32Array.from(this.#sum, (value) => value / length) };
  }
}

/** Index of the first of ascending values that is at least `value`. */
function firstAtLeast(values: Int32Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
