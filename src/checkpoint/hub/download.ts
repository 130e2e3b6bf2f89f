/** @file One file of the hub into a blob: resumed where it was broken off, kept only when its hash is right. */

import { createHash } from "node:crypto";
import { constants, type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CheckpointError, messageOf } from "../../base/errors.js";
import { ifThere } from "../byte-file.js";
import { codeOf } from "./cache.js";

/** The hub did not answer: what a download waits for and repeats. */
export class HubUnreachable extends CheckpointError {}

/** A file of a repository as the hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** sha256 of a large file, else the sha1 that git gives the contents. */
  readonly etag: string;
}

export interface DownloadOptions {
  /** Gives the bytes from `offset` on. */
  open(offset: number): Promise<ReadableStream<Uint8Array>>;
  /** Bytes of the file that are on the disk. */
  onProgress(bytes: number): void;
  /** Wait before the first repetition; doubles each time. */
  readonly retryDelayMs: number;
}

/** Failures in a row without a byte of progress before giving up. */
const maxFailures = 4;

/**
 * Makes sure that the blob is there and right. What a broken download left in `<blob>.incomplete` is continued. Two processes may do this
 * at once: both write the same bytes at the same places.
 * @throws CheckpointError when the connection keeps failing (what came is kept), or the contents are not what the hub says.
 */
export async function downloadBlob(blob: string, file: HubFile, options: DownloadOptions): Promise<void> {
  const present = await ifThere(stat(blob), blob);
  if (present?.size === file.bytes) return options.onProgress(file.bytes);
  await mkdir(dirname(blob), { recursive: true });
  const incomplete = `${blob}.incomplete`;
  const found = await fetchInto(incomplete, file, options);
  if (found !== file.etag) {
    await rm(incomplete, { force: true });
    throw new CheckpointError(
      `${file.path}: expected the hash ${file.etag}, but what came has ${found}; it was removed, try again`,
    );
  }
  try {
    await rename(incomplete, blob);
  } catch (thrown) {
    const isThere = codeOf(thrown) === "ENOENT" && (await ifThere(stat(blob), blob));
    if (!isThere) throw new CheckpointError(`cannot make ${blob}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Completes a file and gives its hash. Both through one handle: another process may rename the file meanwhile. */
async function fetchInto(path: string, file: HubFile, options: DownloadOptions): Promise<string> {
  try {
    // neither truncated nor required: what is there is continued
    await using handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    await complete(handle, file, options);
    return await hashOf(handle, file);
  } catch (thrown) {
    if (thrown instanceof CheckpointError) throw thrown;
    throw new CheckpointError(`writing ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

async function complete(
  handle: FileHandle,
  file: HubFile,
  { open: openAt, onProgress, retryDelayMs }: DownloadOptions,
): Promise<void> {
  let done = Math.min((await handle.stat()).size, file.bytes);
  for (let failures = 0; done < file.bytes; ) {
    onProgress(done);
    const before = done;
    try {
      for await (const piece of await openAt(done)) {
        if (done + piece.length > file.bytes) {
          // such as a server that ignores ranges: then what is there cannot be trusted either
          await handle.truncate(0);
          throw new CheckpointError(
            `${file.path}: more came than the ${file.bytes} bytes that the hub lists; it was removed, try again`,
          );
        }
        await writeFully(handle, piece, done);
        done += piece.length;
        onProgress(done);
      }
      if (done < file.bytes) throw new Error("the connection was closed");
    } catch (thrown) {
      if (thrown instanceof CheckpointError && !(thrown instanceof HubUnreachable)) throw thrown;
      failures = done > before ? 1 : failures + 1;
      if (failures > maxFailures) {
        throw new CheckpointError(
          `${file.path}: ${messageOf(thrown)}; ${done} of ${file.bytes} bytes are kept, the next attempt continues there`,
          { cause: thrown },
        );
      }
      await sleep(retryDelayMs * 2 ** (failures - 1));
    }
  }
  await handle.truncate(file.bytes);
  await handle.sync();
}

async function writeFully(handle: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    done += (await handle.write(piece, done, piece.length - done, position + done)).bytesWritten;
  }
}

/** The hash that `etag` is one of: sha256 of the contents, or git's sha1 with a prefix. */
async function hashOf(handle: FileHandle, { etag, bytes }: HubFile): Promise<string> {
  const hash = etag.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
  for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) hash.update(piece as Buffer);
  return hash.digest("hex");
}
