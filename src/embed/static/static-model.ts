/** @file A static embedding model: a vector per token, and of a text the mean of its tokens' vectors, scaled to unit length. */

import { CheckpointError } from "../../base/errors.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import type { TokenVectors } from "../embedder.js";

/** Token vectors, [vocabulary · dimension]: float32, or int8 with a scale per row. */
export interface TokenTable {
  readonly dimension: number;
  readonly values: Float32Array | Int8Array;
  /** Row r stands for values · scales[r]. Absent with float32. */
  readonly scales?: Float32Array;
}

/**
 * The `StaticEmbedding` of sentence-transformers. Weights of tokens are the lengths of their rows, as in model2vec and SIF
 * (Arora et al. 2017): common tokens are short, so that the mean is of what tells texts apart. No layers and no context: the
 * order of words is not seen, and a token means the same in every text.
 */
export class StaticModel {
  readonly #unknown: Int32Array;

  /** @throws CheckpointError when the table has not a row for each token. */
  constructor(
    readonly tokenizer: Tokenizer,
    readonly table: TokenTable,
  ) {
    const { values, dimension } = table;
    if (values.length !== tokenizer.vocabSize * dimension) {
      throw new CheckpointError(
        `static embedding: ${values.length / dimension} vectors for the ${tokenizer.vocabSize} tokens of the tokenizer; they are not of one model`,
      );
    }
    this.#unknown = Int32Array.of(tokenizer.tokenId("<unk>") ?? tokenizer.tokenId("[UNK]") ?? 0);
  }

  /** Unit length. A text without tokens has the unknown token's vector. */
  embed(text: string): Float32Array {
    const ids = this.tokenizer.encode(text);
    const sum = new Float32Array(this.table.dimension);
    addRows(this.table, ids.length > 0 ? ids : this.#unknown, sum);
    return toUnitLength(sum);
  }

  /** The rows of a text's tokens. They know nothing of each other, so pooling them over a span is embedding the span. */
  embedTokens(text: string): TokenVectors {
    const { ids, offsets } = this.tokenizer.encodeWithOffsets(text);
    const { dimension } = this.table;
    const vectors = new Float32Array(ids.length * dimension);
    for (let i = 0; i < ids.length; i++) {
      addRows(this.table, ids.subarray(i, i + 1), vectors.subarray(i * dimension, (i + 1) * dimension));
    }
    return {
      starts: ids.map((_, i) => offsets[2 * i]!),
      ends: ids.map((_, i) => offsets[2 * i + 1]!),
      vectors,
    };
  }
}

/**
 * out += the rows of `ids`. Four at a time: `out` is then written a quarter as often, which halves the time. Each loop
 * is over one type of array.
 */
function addRows({ dimension, values, scales }: TokenTable, ids: Int32Array, out: Float32Array): void {
  const numFours = ids.length - (ids.length % 4);
  if (values instanceof Float32Array) {
    for (const id of ids) addPlain(values, id * dimension, out);
    return;
  }
  const scaleOf = (i: number): number => (scales ? scales[ids[i]!]! : 1);
  for (let i = 0; i < numFours; i += 4) {
    const [a, b, c, d] = [
      ids[i]! * dimension,
      ids[i + 1]! * dimension,
      ids[i + 2]! * dimension,
      ids[i + 3]! * dimension,
    ];
    addFour(values, a, b, c, d, scaleOf(i), scaleOf(i + 1), scaleOf(i + 2), scaleOf(i + 3), out);
  }
  for (let i = numFours; i < ids.length; i++) addScaled(values, ids[i]! * dimension, scaleOf(i), out);
}

function addPlain(values: Float32Array, row: number, out: Float32Array): void {
  for (let j = 0; j < out.length; j++) out[j]! += values[row + j]!;
}

function addScaled(codes: Int8Array, row: number, scale: number, out: Float32Array): void {
  for (let j = 0; j < out.length; j++) out[j]! += codes[row + j]! * scale;
}

/** Starts of four rows, then their scales. */
function addFour(
  codes: Int8Array,
  a: number,
  b: number,
  c: number,
  d: number,
  scaleA: number,
  scaleB: number,
  scaleC: number,
  scaleD: number,
  out: Float32Array,
): void {
  for (let j = 0; j < out.length; j++) {
    out[j]! += codes[a + j]! * scaleA + codes[b + j]! * scaleB + codes[c + j]! * scaleC + codes[d + j]! * scaleD;
  }
}

/** Scales a vector to length 1, in place; zeros stay. */
export function toUnitLength(vector: Float32Array): Float32Array {
  let squares = 0;
  for (let j = 0; j < vector.length; j++) squares += vector[j]! * vector[j]!;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let j = 0; j < vector.length; j++) vector[j]! *= scale;
  return vector;
}

/** Rows of float32 as int8 with a scale each: the largest of a row becomes 127. */
export function quantizeRows(values: Float32Array, dimension: number): Required<TokenTable> {
  const codes = new Int8Array(values.length);
  const scales = new Float32Array(values.length / dimension);
  for (let r = 0; r < scales.length; r++) {
    const row = values.subarray(r * dimension, (r + 1) * dimension);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[r] = largest / 127;
    if (largest === 0) continue;
    for (let j = 0; j < dimension; j++) codes[r * dimension + j] = Math.round(row[j]! / scales[r]!);
  }
  return { dimension, values: codes, scales };
}

/** Float32 rows of a table. */
export function dequantizeRows({ values, scales, dimension }: TokenTable): Float32Array {
  return scales
    ? Float32Array.from(values, (value, i) => value * scales[Math.floor(i / dimension)]!)
    : Float32Array.from(values);
}
