/** @file Random access to the bytes of one file. */

import { type FileHandle, open, stat } from "node:fs/promises";
import { CheckpointError, messageOf } from "../base/errors.js";

/** Node refuses reads of 2 GiB and more. */
const maxReadBytes = 2 ** 30;

/**
 * What a file system call on `path` gives, or `undefined` where nothing is there.
 * @throws CheckpointError when it fails for another reason.
 */
export async function ifThere<T>(call: Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await call;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw new CheckpointError(`cannot open ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** A file that is open for reading. */
export class ByteFile implements AsyncDisposable {
  readonly path: string;
  /** Size when the file was opened. */
  readonly bytes: number;
  readonly #handle: FileHandle;

  private constructor(path: string, bytes: number, handle: FileHandle) {
    this.path = path;
    this.bytes = bytes;
    this.#handle = handle;
  }

  /** @throws CheckpointError when there is no such file or it cannot be opened. */
  static async open(path: string): Promise<ByteFile> {
    try {
      // before opening: opening a pipe would wait for a writer
      if (!(await stat(path)).isFile()) throw new Error("it is not a file");
      const handle = await open(path, "r");
      return new ByteFile(path, (await handle.stat()).size, handle);
    } catch (thrown) {
      throw new CheckpointError(`cannot open ${path}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  /**
   * Fills `target` with the bytes from `offset` on.
   * @throws CheckpointError when the file ends before, or reading fails.
   */
  async readInto(offset: number, target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const bytes = await this.#read(offset + done, target.subarray(done, done + maxReadBytes));
      if (bytes === 0) {
        throw new CheckpointError(
          `${this.path}: expected ${target.length} bytes at ${offset}, but the file ends after ${done} of them; was it changed while open?`,
        );
      }
      done += bytes;
    }
  }

  async #read(offset: number, target: Uint8Array): Promise<number> {
    try {
      return (await this.#handle.read(target, 0, target.length, offset)).bytesRead;
    } catch (thrown) {
      throw new CheckpointError(`reading ${this.path}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
