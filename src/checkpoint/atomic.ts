/**
 * @file Writing files and folders so that a crash, a kill or a full disk leaves what was there before or what was meant to be there.
 *
 * Everything is written under a temporary name in the same folder, flushed to the disk, then renamed. The temporary name
 * holds the process id, so that the next write can tell what a dead process left behind and remove it.
 */

import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CheckpointError, messageOf } from "../base/errors.js";

/** Bytes per write: large enough for full speed, small enough to hash between two without blocking other work for long. */
const blockBytes = 8 * 2 ** 20;

/** Process id and a random part, because ids come again: in a container the first process is always number 1. */
const owner = `${process.pid}-${randomBytes(4).toString("hex")}`;
const temporaryPattern = /\.tmp-((\d+)-[0-9a-f]{8})-[0-9a-f]{8}$/;

/** A name beside `path` that no other write uses. */
function temporaryName(path: string): string {
  return `${path}.tmp-${owner}-${randomBytes(4).toString("hex")}`;
}

/**
 * Replaces files as one: all are complete on the disk before the first takes its name. Only a kill between two of the renames that
 * follow can leave some old and some new.
 * @param files paths and the bytes to write there, piece by piece.
 * @throws CheckpointError when anything fails; then the old files are as they were and nothing temporary is left.
 */
export async function replaceFiles(
  files: readonly (readonly [path: string, pieces: Iterable<Uint8Array>])[],
): Promise<void> {
  const staged: { path: string; temporary: string }[] = [];
  const replaced: string[] = [];
  const folders = new Set(files.map(([path]) => dirname(resolve(path))));
  try {
    for (const folder of folders) await removeLeftovers(folder);
    for (const [path, pieces] of files) {
      const temporary = temporaryName(path);
      staged.push({ path, temporary });
      await writeDurably(temporary, pieces);
    }
    for (const { path, temporary } of staged) {
      await rename(temporary, path);
      replaced.push(path);
    }
  } catch (thrown) {
    const kept = replaced.length === 0 ? "nothing was changed" : `${replaced.join(", ")} was already replaced`;
    const what = `writing ${files.map(([path]) => path).join(", ")}`;
    throw await abandoned(`${what}: ${messageOf(thrown)}; ${kept}`, staged, thrown);
  }
  for (const folder of folders) await syncFolder(folder);
}

/**
 * Makes a folder that appears complete or not at all.
 * @param fill writes the contents into the temporary folder it is given, with `writeDurably`.
 * @throws CheckpointError when `path` is a file or a folder with contents, or anything fails; then nothing of it is left.
 */
export async function createFolder(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const parent = dirname(resolve(path));
  const temporary = temporaryName(resolve(path));
  try {
    await makeFolder(parent);
    await removeLeftovers(parent);
    await mkdir(temporary);
    await fill(temporary);
    await syncFolder(temporary);
    await rename(temporary, path);
  } catch (thrown) {
    throw await abandoned(`writing ${path}: ${messageOf(thrown)}; nothing was changed`, [{ temporary }], thrown);
  }
  await syncFolder(parent);
}

/** Removes a folder so that it is never seen half removed. */
export async function removeFolder(path: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await rename(path, temporary);
    await syncFolder(dirname(resolve(path)));
    await rm(temporary, { recursive: true });
  } catch (thrown) {
    throw new CheckpointError(`removing ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Makes a folder and those above it, and what makes their names last. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first !== undefined) await syncFolder(dirname(first));
}

/** Writes a new file and flushes it to the disk. For files in a folder that `createFolder` makes; elsewhere use `replaceFiles`. */
export async function writeDurably(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  await using handle = await open(path, "wx");
  for (const block of blocks(pieces)) await writeFully(handle, block);
  await handle.sync();
}

/** The same bytes in pieces that are not too large. */
export function* blocks(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += blockBytes) yield piece.subarray(at, at + blockBytes);
  }
}

async function writeFully(handle: FileHandle, block: Uint8Array): Promise<void> {
  for (let done = 0; done < block.length; ) {
    done += (await handle.write(block, done, block.length - done)).bytesWritten;
  }
}

/** Makes the names in a folder last. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there
  try {
    await using handle = await open(path, "r");
    await handle.sync();
  } catch (thrown) {
    // some network file systems have no way to do this; then it is up to them
    if (["EINVAL", "ENOTSUP", "ENOSYS"].includes(codeOf(thrown))) return;
    throw new CheckpointError(`${path} is written but may not outlast a power cut: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** Removes what dead processes left unfinished in a folder. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, id, pid] = temporaryPattern.exec(name) ?? [];
    if (id === undefined || id === owner) continue;
    if (Number(pid) === process.pid || !isAlive(Number(pid))) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (thrown) {
    return codeOf(thrown) !== "ESRCH";
  }
}

/** Removes temporaries after a failure and makes the error that says so. */
async function abandoned(
  message: string,
  staged: readonly { temporary: string }[],
  cause: unknown,
): Promise<CheckpointError> {
  const removals = await Promise.allSettled(
    staged.map(({ temporary }) => rm(temporary, { recursive: true, force: true })),
  );
  const failures = removals.flatMap((removal) => (removal.status === "rejected" ? [messageOf(removal.reason)] : []));
  const rest = failures.length === 0 ? "" : `; a temporary could not be removed: ${failures.join(", ")}`;
  return new CheckpointError(message + rest, { cause });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
