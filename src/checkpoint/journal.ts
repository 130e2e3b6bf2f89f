/**
 * @file A file that only grows: one JSON record per line, each on the disk before the next, none lost to a kill.
 *
 * A line is a checksum, a space and the record. The checksum is the first 16 hex digits of the SHA-256 of the checksum before
 * it and the record, so that a line that was changed, left out or put elsewhere is noticed.
 */

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { z } from "zod";
import { CheckpointError, messageOf } from "../base/errors.js";
import { replaceFiles } from "./atomic.js";

/** One process appends; it notices when another does too. Records are what JSON holds. */
export class Journal<T extends object> implements AsyncDisposable {
  #checksum: string;
  #bytes: number;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    end: { readonly checksum: string; readonly bytes: number },
  ) {
    this.#checksum = end.checksum;
    this.#bytes = end.bytes;
  }

  /**
   * Opens a journal, and makes one where there is none. What a killed process left unfinished at the end is cut off.
   * @returns the journal and its records, oldest first.
   * @throws CheckpointError when a record is damaged or does not fit the schema, or the file cannot be read.
   */
  static async open<T extends object>(
    path: string,
    schema: z.ZodType<T>,
  ): Promise<{ readonly journal: Journal<T>; readonly records: T[] }> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r+").catch(async (thrown) => {
        if (!isMissing(thrown)) throw thrown;
        await replaceFiles([[path, []]]);
        return open(path, "r+");
      });
    } catch (thrown) {
      throw new CheckpointError(`${path} cannot be opened: ${messageOf(thrown)}`, { cause: thrown });
    }
    try {
      const { records, ...end } = readRecords(await handle.readFile(), schema, path);
      await handle.truncate(end.bytes);
      return { journal: new Journal<T>(path, handle, end), records };
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  /**
   * Adds a record. Once the promise is settled, the record is on the disk.
   * @throws CheckpointError when it cannot be written, or another process has written.
   */
  async append(record: T): Promise<void> {
    const json = JSON.stringify(record);
    const checksum = checksumOf(this.#checksum, json);
    const line = new TextEncoder().encode(`${checksum} ${json}\n`);
    const { size } = await this.handle.stat();
    if (size !== this.#bytes) {
      throw new CheckpointError(
        `${this.path} has ${size} bytes, but ${this.#bytes} were left; does another process write it?`,
      );
    }
    try {
      for (let done = 0; done < line.length; ) {
        done += (await this.handle.write(line, done, line.length - done, this.#bytes + done)).bytesWritten;
      }
      await this.handle.sync();
    } catch (thrown) {
      // a part of a line would make the records after it unreadable
      await this.handle.truncate(this.#bytes).catch(() => {});
      throw new CheckpointError(`${this.path} cannot be written: ${messageOf(thrown)}`, { cause: thrown });
    }
    this.#checksum = checksum;
    this.#bytes += line.length;
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Contents<T> {
  readonly records: T[];
  readonly checksum: string;
  /** Bytes of the whole lines. */
  readonly bytes: number;
}

function readRecords<T>(file: Uint8Array, schema: z.ZodType<T>, path: string): Contents<T> {
  const records: T[] = [];
  let [checksum, bytes] = ["", 0];
  while (bytes < file.length) {
    const end = file.indexOf(0x0a, bytes);
    const line = new TextDecoder().decode(file.subarray(bytes, end < 0 ? file.length : end));
    const json = line.slice(17);
    if (end < 0 || line[16] !== " " || line.slice(0, 16) !== checksumOf(checksum, json)) {
      // only the last line can be one that was never finished
      if (end < 0 || end === file.length - 1) break;
      throw new CheckpointError(
        `${path}: record ${records.length + 1} is damaged, and others follow it; restore the file, or begin a new one`,
      );
    }
    records.push(recordOf(json, schema, `${path}: record ${records.length + 1}`));
    checksum = line.slice(0, 16);
    bytes = end + 1;
  }
  return { records, checksum, bytes };
}

function recordOf<T>(json: string, schema: z.ZodType<T>, what: string): T {
  const parsed = schema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "top level"}: ${issue.message}`);
  throw new CheckpointError(`${what} is not what this journal holds: ${problems.join("; ")}; is it another file?`);
}

const checksumOf = (before: string, json: string): string =>
  createHash("sha256").update(before).update(json).digest("hex").slice(0, 16);

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
