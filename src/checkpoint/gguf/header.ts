/**
 * @file The header of a GGUF file, versions 2 and 3: metadata, and which tensor lies where.
 *
 * The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Shapes in a file are innermost axis first; here they are row-major,
 * as everywhere else.
 */

import { CheckpointError } from "../../base/errors.js";
import { ByteCursor } from "./cursor.js";
import { type GgufValue, type GgufValueType, readTyped } from "./metadata.js";
import { type GgmlTypeName, ggmlTypeOf, ggmlTypes } from "./types/index.js";

/** "GGUF" */
export const magic = 0x46554747;

/** Where `general.alignment` does not say otherwise. */
export const defaultAlignment = 32;
export const alignmentKey = "general.alignment";

/** ggml's limit. */
export const maxAxes = 4;

/** A tensor of a GGUF file and where its blocks start, counted from the start of the file. */
export interface GgufTensor {
  readonly type: GgmlTypeName;
  /** Row-major: the last axis is the one that lies in blocks. */
  readonly shape: readonly number[];
  /** Size of the blocks. */
  readonly bytes: number;
  readonly offset: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The type of each metadata value, so that it can be written back as it was. */
  readonly types: ReadonlyMap<string, GgufValueType>;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Parses the header at the beginning of a file.
 * @param bytes the beginning of the file.
 * @throws NeedMoreBytes when the header does not end in `bytes`; CheckpointError when it is not valid.
 */
export function parseGgufHeader(bytes: Uint8Array, fileBytes: number, source: string): GgufHeader {
  const cursor = new ByteCursor(bytes, fileBytes, source);
  const version = readVersion(cursor, source);
  // a tensor takes at least a name's length, number of axes, type and offset; a metadata entry a key's length, type and value
  const numTensors = cursor.count(24, `${source}: tensors`);
  const numEntries = cursor.count(13, `${source}: metadata`);
  const metadata = new Map<string, GgufValue>();
  const types = new Map<string, GgufValueType>();
  for (let i = 0; i < numEntries; i++) {
    const key = cursor.string(`${source}: key ${i} of the metadata`);
    const at = `${source}: ${JSON.stringify(key.slice(0, 80))}`;
    if (metadata.has(key)) throw new CheckpointError(`${at}: the key appears twice`);
    const { value, type } = readTyped(cursor, at);
    metadata.set(key, value);
    types.set(key, type);
  }
  const relative = Array.from({ length: numTensors }, (_, i) => readTensor(cursor, i, fileBytes, source));
  const alignment = alignmentOf(metadata, source);
  const start = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = place(relative, start, alignment, fileBytes, source);
  return { version, metadata, types, tensors };
}

function readVersion(cursor: ByteCursor, source: string): number {
  const found = cursor.uint32();
  if (found !== magic) throw new CheckpointError(`${source}: expected a GGUF file, which begins with "GGUF"`);
  const version = cursor.uint32();
  if (version === 2 || version === 3) return version;
  const advice =
    version === 1
      ? "convert it again with a current llama.cpp"
      : version % 2 ** 16 === 0
        ? "it is a big-endian file; convert it with gguf-py's gguf_convert_endian.py"
        : "is it damaged?";
  throw new CheckpointError(`${source}: expected GGUF version 2 or 3, found ${version}; ${advice}`);
}

/** The alignment of tensors in bytes. */
export function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, source: string): number {
  const value = metadata.get(alignmentKey) ?? defaultAlignment;
  // a power of two is what llama.cpp takes; the upper limit keeps paddings small
  if (typeof value === "number" && value >= 1 && value <= 2 ** 20 && Number.isInteger(Math.log2(value))) return value;
  throw new CheckpointError(`${source}: expected ${alignmentKey} to be a power of two up to 2^20, found ${value}`);
}

type Unplaced = readonly [name: string, tensor: GgufTensor];

function readTensor(cursor: ByteCursor, index: number, fileBytes: number, source: string): Unplaced {
  const name = cursor.string(`${source}: name of tensor ${index}`);
  const at = `${source}: tensor ${JSON.stringify(name.slice(0, 80))}`;
  const numAxes = cursor.uint32();
  if (numAxes > maxAxes) throw new CheckpointError(`${at}: expected at most ${maxAxes} axes, found ${numAxes}`);
  const sizes = Array.from({ length: numAxes }, () => cursor.uint64());
  const type = ggmlTypeOf(cursor.uint32(), at);
  const offset = cursor.uint64();
  const elements = sizes.reduce((product, size) => product * size, 1n);
  const { blockSize, blockBytes } = ggmlTypes[type];
  const row = sizes[0] ?? 1n;
  if (row % BigInt(blockSize) !== 0n) {
    throw new CheckpointError(`${at}: ${type} needs rows of whole blocks of ${blockSize} values, found rows of ${row}`);
  }
  const bytes = (elements / BigInt(blockSize)) * BigInt(blockBytes);
  if (sizes.some((size) => size > BigInt(Number.MAX_SAFE_INTEGER)) || offset + bytes > BigInt(fileBytes)) {
    throw new CheckpointError(
      `${at}: ${type} of shape [${sizes.toReversed()}] takes ${bytes} bytes from ${offset} on, but the file has ${fileBytes}; it is not complete`,
    );
  }
  return [name, { type, shape: sizes.reverse().map(Number), bytes: Number(bytes), offset: Number(offset) }];
}

/** Checks that tensors touch each other, paddings aside, and the end of the file, and gives them their places in it. */
function place(
  tensors: readonly Unplaced[],
  start: number,
  alignment: number,
  fileBytes: number,
  source: string,
): Map<string, GgufTensor> {
  const placed = new Map<string, GgufTensor>();
  const sorted = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  let expected = 0;
  let end = 0;
  for (const [name, tensor] of sorted) {
    const at = `${source}: tensor ${JSON.stringify(name)}`;
    if (placed.has(name)) throw new CheckpointError(`${at}: two tensors have this name`);
    if (tensor.offset !== expected) {
      const problem = tensor.offset < expected ? "overlaps the one before it" : "leaves a hole before it";
      throw new CheckpointError(`${at} ${problem}: expected it to begin at ${expected}, found ${tensor.offset}`);
    }
    end = tensor.offset + tensor.bytes;
    expected = Math.ceil(end / alignment) * alignment;
    placed.set(name, { ...tensor, offset: start + tensor.offset });
  }
  if (sorted.length === 0) return placed;
  if (start + end > fileBytes) {
    throw new CheckpointError(
      `${source}: expected at least ${start + end} bytes by its header, found ${fileBytes}; the file is not complete`,
    );
  }
  if (start + expected < fileBytes) {
    throw new CheckpointError(
      `${source}: expected ${start + expected} bytes by its header, found ${fileBytes}; there are bytes that belong to no tensor`,
    );
  }
  return placed;
}
