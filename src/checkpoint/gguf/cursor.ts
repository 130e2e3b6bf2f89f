/** @file A place in the first bytes of a file that is not trusted: every length is checked against the file before anything is made of it. */

import { CheckpointError } from "../../base/errors.js";

/** Thrown when the bytes at hand end although the file goes on: more have to be read. */
export class NeedMoreBytes extends Error {}

type Getter = Exclude<
  { [K in keyof DataView]: K extends `get${string}` ? K : never }[keyof DataView],
  "getFloat16" | undefined
>;

export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  readonly #source: string;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  /** @param bytes the beginning of a file of `fileBytes` bytes. */
  constructor(bytes: Uint8Array, fileBytes: number, source: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
    this.#source = source;
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#at;
  }

  /** Takes `bytes` bytes and returns where they start. */
  #advance(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#bytes.length) {
      if (start + bytes <= this.#fileBytes) throw new NeedMoreBytes();
      throw new CheckpointError(`${this.#source}: the file ends inside its header; it is not complete`);
    }
    this.#at += bytes;
    return start;
  }

  /** The number that one of DataView's getters reads. */
  take<G extends Getter>(bytes: number, getter: G): ReturnType<DataView[G]> {
    const start = this.#advance(bytes);
    const get = this.#view[getter] as (offset: number, littleEndian: boolean) => ReturnType<DataView[G]>;
    return get.call(this.#view, start, true);
  }

  uint8(): number {
    return this.take(1, "getUint8");
  }

  uint32(): number {
    return this.take(4, "getUint32");
  }

  uint64(): bigint {
    return this.take(8, "getBigUint64");
  }

  /** A 64-bit number of things that take at least `leastBytes` bytes each, and so cannot be more than the rest of the file holds. */
  count(leastBytes: number, at: string): number {
    const count = this.uint64();
    const most = Math.floor((this.#fileBytes - this.#at) / leastBytes);
    if (count > BigInt(most)) {
      throw new CheckpointError(
        `${at}: expected at most ${most} entries, which is what the file has room for, found a count of ${count}`,
      );
    }
    return Number(count);
  }

  string(at: string): string {
    const start = this.#advance(this.count(1, `${at}: text`));
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, this.#at));
    } catch (cause) {
      throw new CheckpointError(`${at}: expected UTF-8`, { cause });
    }
  }
}
