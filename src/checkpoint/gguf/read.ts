/** @file GGUF files on disk: metadata at once, tensors one at a time, as float32 or as the blocks they are stored in. */

import { CheckpointError } from "../../base/errors.js";
import { type HostTensor, sizeOf } from "../../base/host-tensor.js";
import { ByteFile } from "../byte-file.js";
import { PiecewiseReader, reserve } from "../float32.js";
import { lookUp } from "../tensor-source.js";
import { NeedMoreBytes } from "./cursor.js";
import { type GgufHeader, type GgufTensor, parseGgufHeader } from "./header.js";
import type { GgufValue, GgufValueType } from "./metadata.js";
import { ggmlTypes } from "./types/index.js";

/** Read first; doubled until the header ends. */
const firstBytes = 2 ** 20;

/** The vocabularies of the largest known models take a tenth of this. */
const maxHeaderBytes = 2 ** 28;

/** An open GGUF file. */
export class GgufFile implements AsyncDisposable {
  readonly #file: ByteFile;
  readonly #header: GgufHeader;
  readonly #pieces = new PiecewiseReader();

  /** Use `readGguf`. */
  constructor(file: ByteFile, header: GgufHeader) {
    this.#file = file;
    this.#header = header;
  }

  get version(): number {
    return this.#header.version;
  }

  get metadata(): ReadonlyMap<string, GgufValue> {
    return this.#header.metadata;
  }

  /** The types of the metadata's values, for `writeGguf`. */
  get types(): ReadonlyMap<string, GgufValueType> {
    return this.#header.types;
  }

  /** In the order in which they are stored. */
  get tensors(): ReadonlyMap<string, GgufTensor> {
    return this.#header.tensors;
  }

  /**
   * Reads one tensor as float32, unpacking it piece by piece.
   * @throws CheckpointError when there is no such tensor or the file cannot be read.
   */
  async readFloat32(name: string): Promise<HostTensor> {
    const { type, shape, offset, bytes } = lookUp(this.#header.tensors, name, this.#file.path, "tensor");
    const what = `tensor ${JSON.stringify(name)} of shape [${shape}] of ${this.#file.path}`;
    const data = reserve(() => new Float32Array(sizeOf(shape)), what);
    const { blockSize, blockBytes, dequantize } = ggmlTypes[type];
    await this.#pieces.read(this.#file, { offset, bytes, blockSize, blockBytes, convert: dequantize }, data);
    return { dtype: "float32", shape, data };
  }

  /** Reads the blocks of one tensor as they are stored, for formats that compute with them. */
  async readBlocks(name: string): Promise<Uint8Array> {
    const { bytes, offset } = lookUp(this.#header.tensors, name, this.#file.path, "tensor");
    const blocks = reserve(() => new Uint8Array(bytes), `tensor ${JSON.stringify(name)} of ${this.#file.path}`);
    await this.#file.readInto(offset, blocks);
    return blocks;
  }

  /** Releases the file. Reading afterwards throws. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a GGUF file (version 2 or 3) and reads its metadata; no tensor is read yet.
 * @throws CheckpointError when the file cannot be opened, is not valid or holds a tensor type that is not read.
 * @example
 * await using file = await readGguf("model.gguf");
 * const weight = await file.readFloat32("token_embd.weight");
 */
export async function readGguf(path: string): Promise<GgufFile> {
  const file = await ByteFile.open(path);
  try {
    return new GgufFile(file, await readHeader(file));
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function readHeader(file: ByteFile): Promise<GgufHeader> {
  for (let length = firstBytes; length <= maxHeaderBytes; length *= 2) {
    const bytes = new Uint8Array(Math.min(length, file.bytes));
    await file.readInto(0, bytes);
    try {
      return parseGgufHeader(bytes, file.bytes, file.path);
    } catch (thrown) {
      if (!(thrown instanceof NeedMoreBytes)) throw thrown;
    }
  }
  throw new CheckpointError(`${file.path}: expected a header of at most ${maxHeaderBytes} bytes; is the file damaged?`);
}
