/** @file One file of cached vectors: it only grows, and every record is checked when it is read. */

import { randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { CheckpointError, messageOf } from "../../base/errors.js";

/** Bytes of a key: a truncated SHA-256. */
export const KEY_BYTES = 16;
const CHECKSUM_BYTES = 4;
const HEADER = Buffer.from("tessera-vectors 1\n");
const BLOCK_BYTES = 2 ** 20;

/** Records of key, float32 vector and CRC-32 of both, after a header. */
export class Segment {
  #bytes: number;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly dimension: number,
    bytes: number,
  ) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of a record. */
  static recordBytes(dimension: number): number {
    return KEY_BYTES + 4 * dimension + CHECKSUM_BYTES;
  }

  /** A name that no other process takes; names sort by age. */
  static newName(prefix: string): string {
    return `${prefix}-${Date.now().toString(36).padStart(9, "0")}-${randomBytes(4).toString("hex")}.vectors`;
  }

  /** @throws CheckpointError when the file is there or cannot be made. */
  static async create(path: string, dimension: number): Promise<Segment> {
    try {
      const handle = await open(path, "wx+");
      await handle.write(HEADER);
      return new Segment(path, handle, dimension, HEADER.length);
    } catch (thrown) {
      throw new CheckpointError(`the cache of vectors cannot write ${path}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  /** Opens a file for reading; undefined where it is gone or is none of these. Gives every key with its place. */
  static async read(
    path: string,
    dimension: number,
    found: (key: string, place: number) => void,
  ): Promise<Segment | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch {
      return undefined; // another process made room
    }
    const header = Buffer.alloc(HEADER.length);
    await handle.read(header, 0, header.length, 0);
    if (!header.equals(HEADER)) {
      await handle.close();
      return undefined;
    }
    const { size } = await handle.stat();
    const record = Segment.recordBytes(dimension);
    const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / record));
    const block = Buffer.alloc(perBlock * record);
    // what a kill left unfinished at the end is less than a record
    const end = HEADER.length + Math.floor((size - HEADER.length) / record) * record;
    for (let at = HEADER.length; at < end; at += block.length) {
      const { bytesRead } = await handle.read(block, 0, Math.min(block.length, end - at), at);
      for (let i = 0; i + record <= bytesRead; i += record) found(block.toString("hex", i, i + KEY_BYTES), at + i);
    }
    return new Segment(path, handle, dimension, end);
  }

  /** The vector at a place, if the record is whole and of this key. */
  async vector(key: string, place: number): Promise<Float32Array | undefined> {
    const record = Buffer.alloc(Segment.recordBytes(this.dimension));
    const { bytesRead } = await this.handle.read(record, 0, record.length, place);
    const end = record.length - CHECKSUM_BYTES;
    const isWhole = bytesRead === record.length && crc32(record.subarray(0, end)) === record.readUInt32LE(end);
    if (!isWhole || record.toString("hex", 0, KEY_BYTES) !== key) return undefined;
    return Float32Array.from({ length: this.dimension }, (_, i) => record.readFloatLE(KEY_BYTES + 4 * i));
  }

  /** Adds records in one write; gives their places. @throws CheckpointError when it fails. */
  async append(entries: readonly (readonly [key: string, vector: Float32Array])[]): Promise<number[]> {
    const size = Segment.recordBytes(this.dimension);
    const bytes = Buffer.alloc(entries.length * size);
    for (const [i, [key, vector]] of entries.entries()) {
      const record = bytes.subarray(i * size, (i + 1) * size);
      record.write(key, 0, "hex");
      for (let j = 0; j < this.dimension; j++) record.writeFloatLE(vector[j]!, KEY_BYTES + 4 * j);
      record.writeUInt32LE(crc32(record.subarray(0, size - CHECKSUM_BYTES)), size - CHECKSUM_BYTES);
    }
    const start = this.#bytes;
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.handle.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
      }
    } catch (thrown) {
      throw new CheckpointError(
        `the cache of vectors cannot write ${this.path}: ${messageOf(thrown)}; make room, or embed without a cache`,
        { cause: thrown },
      );
    }
    this.#bytes += bytes.length;
    return entries.map((_, i) => start + i * size);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
