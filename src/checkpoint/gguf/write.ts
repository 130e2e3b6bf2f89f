/** @file Writing GGUF files, version 3, as llama.cpp reads them. */

import { CheckpointError, DTypeError, ShapeError } from "../../base/errors.js";
import { sizeOf } from "../../base/host-tensor.js";
import { replaceFiles } from "../atomic.js";
import { alignmentKey, alignmentOf, magic, maxAxes } from "./header.js";
import { typeOfEntry } from "./key-types.js";
import { encodeTyped, type GgufValue, type GgufValueType, stringBytes, uint32Bytes, uint64Bytes } from "./metadata.js";
import { type GgmlTypeName, ggmlTypes, type WritableGgmlType } from "./types/index.js";

/** A tensor to be written: values that are packed, or blocks as `GgufFile.readBlocks` gives them. Both may be getters that make them when read. */
export type GgufTensorInput = {
  readonly name: string;
  /** Row-major. */
  readonly shape: readonly number[];
} & (
  | { readonly type: WritableGgmlType; readonly data: Float32Array }
  | { readonly type: GgmlTypeName; readonly blocks: Uint8Array }
);

export interface GgufContents {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Types of metadata values, by key. Default: those of the format for its own keys, else what the value looks like (see `typeOfEntry`). */
  readonly types?: ReadonlyMap<string, GgufValueType>;
  readonly tensors: Iterable<GgufTensorInput>;
}

/** llama.cpp refuses longer names (`GGML_MAX_NAME`, with a zero byte). */
const maxNameBytes = 63;

/** Values packed at a time. A multiple of every block size. */
const pieceElements = 2 ** 20;

/**
 * Writes a GGUF file, replacing an old one only when the new one is complete on the disk. Tensors are packed piece by piece while they are
 * written.
 * @throws CheckpointError, ShapeError, DTypeError for what cannot be stored; an old file is then as it was.
 */
export async function writeGguf(path: string, contents: GgufContents): Promise<void> {
  await replaceFiles([[path, encodeGguf(contents)]]);
}

/** The pieces of a file, in order. */
export function* encodeGguf({ metadata, types, tensors }: GgufContents): Generator<Uint8Array> {
  const listed = [...tensors];
  const alignment = alignmentOf(metadata, "GGUF metadata");
  const header = [uint32Bytes(magic), uint32Bytes(3), uint64Bytes(listed.length), uint64Bytes(metadata.size)];
  for (const [key, value] of metadata) {
    const at = `GGUF metadata ${JSON.stringify(key)}`;
    const type = types?.get(key) ?? typeOfEntry(key, value);
    if (key === alignmentKey && type !== "uint32") throw new CheckpointError(`${at}: expected a uint32, got ${type}`);
    header.push(stringBytes(key, at), ...encodeTyped(value, type, at));
  }
  header.push(...encodeDirectory(listed, alignment));
  const bytes = header.reduce((sum, piece) => sum + piece.length, 0);
  yield Buffer.concat([...header, new Uint8Array(paddingAfter(bytes, alignment))]);
  for (const tensor of listed) {
    yield* encodeTensor(tensor);
    yield new Uint8Array(paddingAfter(storedBytes(tensor), alignment));
  }
}

function encodeDirectory(tensors: readonly GgufTensorInput[], alignment: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const names = new Set<string>();
  let offset = 0;
  for (const tensor of tensors) {
    const { name, shape, type } = tensor;
    checkTensor(tensor, names);
    names.add(name);
    pieces.push(stringBytes(name, at(tensor)), uint32Bytes(shape.length));
    for (const size of shape.toReversed()) pieces.push(uint64Bytes(size));
    pieces.push(uint32Bytes(ggmlTypes[type].code), uint64Bytes(offset));
    const bytes = storedBytes(tensor);
    offset += bytes + paddingAfter(bytes, alignment);
  }
  return pieces;
}

function* encodeTensor(tensor: GgufTensorInput): Generator<Uint8Array> {
  if ("blocks" in tensor) {
    const { blocks } = tensor;
    const expected = storedBytes(tensor);
    if (blocks.length === expected) return yield blocks;
    throw new ShapeError(
      `${at(tensor)}: ${tensor.type} of shape [${tensor.shape}] takes ${expected} bytes, got ${blocks.length}`,
    );
  }
  const { data, shape, type } = tensor;
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${at(tensor)}: shape [${shape}] has ${sizeOf(shape)} elements, the array has ${data.length}`);
  }
  const { quantize, blockSize, blockBytes } = ggmlTypes[type];
  if (quantize === undefined) throw new DTypeError(`${at(tensor)}: ${type} is not written`);
  for (let start = 0; start < data.length; start += pieceElements) {
    const values = data.subarray(start, start + pieceElements);
    const out = new Uint8Array((values.length / blockSize) * blockBytes);
    try {
      quantize(values, out);
    } catch (thrown) {
      if (!(thrown instanceof CheckpointError)) throw thrown;
      throw new CheckpointError(`${at(tensor)}: ${thrown.message}`, { cause: thrown });
    }
    yield out;
  }
}

function checkTensor(tensor: GgufTensorInput, taken: ReadonlySet<string>): void {
  const { name, shape, type } = tensor;
  if (taken.has(name)) throw new CheckpointError(`${at(tensor)}: two tensors have this name`);
  const nameBytes = new TextEncoder().encode(name).length;
  if (nameBytes > maxNameBytes) {
    throw new CheckpointError(
      `${at(tensor)}: a name has at most ${maxNameBytes} bytes in GGUF, this one has ${nameBytes}`,
    );
  }
  if (shape.length < 1 || shape.length > maxAxes) {
    throw new ShapeError(`${at(tensor)}: a GGUF tensor has 1 to ${maxAxes} axes, got the shape [${shape}]`);
  }
  const { blockSize } = ggmlTypes[type];
  if (shape.at(-1)! % blockSize !== 0) {
    throw new ShapeError(
      `${at(tensor)}: ${type} needs rows of whole blocks of ${blockSize} values, got the shape [${shape}]; write it as F16`,
    );
  }
}

function storedBytes({ shape, type }: GgufTensorInput): number {
  const { blockSize, blockBytes } = ggmlTypes[type];
  return (sizeOf(shape) / blockSize) * blockBytes;
}

function paddingAfter(bytes: number, alignment: number): number {
  return (alignment - (bytes % alignment)) % alignment;
}

function at({ name }: GgufTensorInput): string {
  return `GGUF tensor ${JSON.stringify(name)}`;
}
