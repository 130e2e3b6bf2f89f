/** @file Safetensors files on disk: tensors read one at a time, files written in one stream. */

import { allocate, type TypedArray } from "../base/dtype.js";
import { DTypeError, messageOf } from "../base/errors.js";
import { type HostTensor, sizeOf } from "../base/host-tensor.js";
import { replaceFiles } from "./atomic.js";
import { ByteFile } from "./byte-file.js";
import { convertToFloat32, isFloat8, PiecewiseReader, reserve, storedElementBytes } from "./float32.js";
import { encodeSafetensors, headerLength, parseHeader, prefixBytes, type SafetensorsHeader } from "./safetensors.js";
import { bytesOf, checkData, lookUp, type TensorEntry, type TensorSource } from "./tensor-source.js";

class SafetensorsFile implements TensorSource {
  readonly #file: ByteFile;
  readonly #header: SafetensorsHeader;
  readonly #pieces = new PiecewiseReader();

  constructor(file: ByteFile, header: SafetensorsHeader) {
    this.#file = file;
    this.#header = header;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata;
  }

  get tensors(): ReadonlyMap<string, TensorEntry> {
    return this.#header.tensors;
  }

  async read(name: string): Promise<HostTensor> {
    const { dtype, shape, bytes } = lookUp(this.#header.tensors, name, this.#file.path, "tensor");
    if (isFloat8(dtype)) throw new DTypeError(`${this.#at(name)} is ${dtype}; read it with readFloat32`);
    const data = reserve(() => allocate(dtype, sizeOf(shape)), `the ${bytes} bytes of ${this.#at(name)}`);
    await this.readInto(name, data);
    return { dtype, shape, data };
  }

  async readFloat32(name: string): Promise<HostTensor> {
    const { dtype, shape, offset, bytes } = lookUp(this.#header.tensors, name, this.#file.path, "tensor");
    const data = reserve(() => new Float32Array(sizeOf(shape)), `${this.#at(name)} as float32`);
    if (dtype === "float32") await this.readInto(name, data);
    else {
      const convert = (piece: Uint8Array, target: Float32Array): void => convertToFloat32(dtype, piece, target);
      const run = { offset, bytes, blockSize: 1, blockBytes: storedElementBytes(dtype), convert };
      try {
        await this.#pieces.read(this.#file, run, data);
      } catch (thrown) {
        if (!(thrown instanceof DTypeError)) throw thrown;
        throw new DTypeError(`${this.#at(name)}: ${messageOf(thrown)}; read it with read`, { cause: thrown });
      }
    }
    return { dtype: "float32", shape, data };
  }

  async readInto(name: string, target: TypedArray): Promise<void> {
    const entry = lookUp(this.#header.tensors, name, this.#file.path, "tensor");
    checkData(name, entry, target);
    await this.#file.readInto(entry.offset, bytesOf(target));
  }

  #at(name: string): string {
    return `tensor ${JSON.stringify(name)} of ${this.#file.path}`;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a safetensors file and checks its header; no values are read yet.
 * @throws CheckpointError when the file cannot be opened or is not valid.
 * @example
 * await using file = await openSafetensors("model.safetensors");
 * const weight = await file.read("lm_head.weight");
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const file = await ByteFile.open(path);
  try {
    return new SafetensorsFile(file, await readHeader(file));
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function readHeader(file: ByteFile): Promise<SafetensorsHeader> {
  const prefix = new Uint8Array(prefixBytes);
  if (file.bytes >= prefixBytes) await file.readInto(0, prefix);
  const json = new Uint8Array(headerLength(prefix, file.bytes, file.path));
  await file.readInto(prefixBytes, json);
  return parseHeader(json, file.bytes, file.path);
}

/**
 * Writes a safetensors file, replacing an old one only when the new one is complete on the disk. Tensors go from their own memory
 * to the file; they must not change until the promise settles. See `encodeSafetensors` for order and lazy tensors.
 * @throws CheckpointError when it cannot be written; an old file is then as it was.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<readonly [string, HostTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await replaceFiles([[path, encodeSafetensors(entries, metadata)]]);
}
