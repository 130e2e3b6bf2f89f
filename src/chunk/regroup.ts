/** @file Pieces of a text, and the text cut again where what is known of the pieces says. */
import { ConfigError, ShapeError } from "../base/errors.js";
import type { Chunk, ChunkOptions, EmbedTexts } from "./chunk.js";
import { type ChunkBreaks, sentenceBreaks } from "./chunk-breaks.js";
import type { Run } from "./packer.js";
import { type FormatOptions, packUnits, proseUnits } from "./streamed.js";
import { Strength } from "./strength.js";
import { TextWindow } from "./text-window.js";
import { ListedUnits } from "./units.js";

/** The pieces that `breaks` cuts a text into, none larger than `maxTokens`; white space between them belongs to none. */
export function piecesOf(text: string, breaks: ChunkBreaks, options: ChunkOptions & FormatOptions): Run[] {
  const window = TextWindow.of(text);
  const packer = packUnits(window, proseUnits(window, options), breaks, { ...options, overlapTokens: 0 });
  const pieces: Run[] = [];
  for (let run = packer.nextRun(); run !== undefined; run = packer.nextRun()) pieces.push(run);
  return pieces;
}

/** Chunks that begin at the pieces of the given indices, and further ones where such a chunk is more than `maxTokens`. */
export function* regroup(
  text: string,
  pieces: readonly Run[],
  starts: ReadonlySet<number>,
  options: ChunkOptions,
): Generator<Chunk> {
  const units = pieces.flatMap(({ units }, i) =>
    starts.has(i) ? units.map((unit, j) => (j === 0 ? { ...unit, strength: Strength.must } : unit)) : units,
  );
  const window = TextWindow.of(text);
  const packer = packUnits(window, new ListedUnits(units), sentenceBreaks, options);
  for (let chunk = packer.next(); chunk !== undefined; chunk = packer.next()) yield chunk;
}

/**
 * Vectors of texts; none of no texts.
 * @throws ShapeError if the embedder gives another number of them, or vectors of different lengths.
 */
export async function embedAll(embed: EmbedTexts, texts: readonly string[]): Promise<readonly Float32Array[]> {
  const vectors = texts.length === 0 ? [] : await embed(texts);
  const length = vectors[0]?.length;
  if (vectors.length !== texts.length || vectors.some((vector) => vector.length !== length)) {
    throw new ShapeError(
      `chunk: expected ${texts.length} vectors of one length from embed, got ${vectors.length} of lengths ${[...new Set(vectors.map(({ length }) => length))].join(", ")}`,
    );
  }
  return vectors;
}

/** Scalar product of two vectors of one length. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** @throws ConfigError if the value is out of range. */
export function checkWhole(name: string, value: number, atLeast: number): void {
  if (!Number.isSafeInteger(value) || value < atLeast) {
    throw new ConfigError(`chunk: ${name} must be a whole number of at least ${atLeast}, not ${value}`);
  }
}
