/** @file Watches a folder: which documents come, change and go. */
import { type FSWatcher, watch } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ConfigError, DataError, messageOf } from "../base/errors.js";
import type { Document, Skip } from "./document.js";
import { type FileOptions, FileReader, skippedPages } from "./read-file.js";
import { FolderWalk, type FoundFile } from "./walk-folder.js";

export interface WatchOptions extends FileOptions {
  /** How long a folder has to be quiet before it is looked at again, in milliseconds. Default 200: editors write in steps. */
  readonly quietMs?: number;
  /**
   * Looks at the folder every so many milliseconds besides. Default none: for file systems that tell of no changes, as
   * network drives do.
   */
  readonly pollMs?: number;
  /** Ends the watching; the iteration then simply ends. */
  readonly signal?: AbortSignal;
}

/** What happened. `settled`: all that had happened when the folder was looked at has been said. */
export type FolderChange =
  | { readonly kind: "added"; readonly document: Document }
  | { readonly kind: "changed"; readonly document: Document }
  | { readonly kind: "removed"; readonly path: string }
  | Skip
  | { readonly kind: "settled"; readonly numDocuments: number };

/** While the folder itself is gone, it is looked for so often. */
const MISSING_POLL_MS = 1000;

/**
 * All documents of a folder as added, then what changes, for as long as it is asked. Events of the file system only say
 * that something happened; what it was is found by looking at the folder and comparing. So files that are written in
 * steps, replaced by renaming, reached through links or moved with their folders come out right. A file that changes
 * without another content says nothing; one that is no document any more is removed. A folder that disappears is an empty
 * one until it comes back.
 * @throws ConfigError if an option is out of range.
 * @throws DataError if `root` does not exist at the start, or the system does not watch so many folders.
 */
export async function* watchFolder(root: string, options: WatchOptions = {}): AsyncGenerator<FolderChange> {
  const { quietMs = 200, pollMs, signal } = options;
  checkMilliseconds("quietMs", quietMs);
  if (pollMs !== undefined) checkMilliseconds("pollMs", pollMs);
  const reader = new FileReader(options);
  const known = new KnownFiles();
  using watchers = new FolderWatchers();
  let isFirst = true;
  while (!signal?.aborted) {
    watchers.forget();
    const walk = new FolderWalk();
    const found = await filesOf(walk, root, isFirst);
    // what is created before its folder is watched tells nobody: look again
    const isSettled = watchers.watch(walk.folders);
    for (const change of known.gone(found)) yield change;
    for (const entry of found) yield* known.take(entry, reader);
    if (!isSettled) continue;
    yield { kind: "settled", numDocuments: known.numDocuments };
    isFirst = false;
    await watchers.untilChanged({ quietMs, pollMs: walk.folders.size === 0 ? MISSING_POLL_MS : pollMs, signal });
  }
}

/** All entries of the folder; none when it is gone, unless it has to be there. */
async function filesOf(walk: FolderWalk, root: string, mustExist: boolean): Promise<(FoundFile | Skip)[]> {
  try {
    const found: (FoundFile | Skip)[] = [];
    for await (const entry of walk.entries(root)) found.push(entry);
    return found;
  } catch (error) {
    if (mustExist || !(error instanceof DataError)) throw error;
    return [];
  }
}

/** What was last said of each path. */
class KnownFiles {
  /** Stamp of the file that was read, and the hash of its document; none for what was skipped. */
  readonly #files = new Map<string, { readonly stamp: string; readonly hash?: string }>();

  get numDocuments(): number {
    return [...this.#files.values()].filter(({ hash }) => hash !== undefined).length;
  }

  /** Removes what is no longer there. */
  *gone(found: readonly { readonly path: string }[]): Generator<FolderChange> {
    const paths = new Set(found.map(pathOf));
    for (const path of [...this.#files.keys()].filter((known) => !paths.has(known))) yield* this.#remove(path);
  }

  /** Reads a file that is new or has another stamp, and says what that makes of it. */
  async *take(entry: FoundFile | Skip, reader: FileReader): AsyncGenerator<FolderChange> {
    const path = pathOf(entry);
    const stamp = stampOf(entry);
    const before = this.#files.get(path);
    if (before?.stamp === stamp) return;
    const now = entry.kind === "file" ? await reader.read(entry) : entry;
    if (now.kind === "skip") {
      yield* this.#remove(path);
      this.#files.set(path, { stamp });
      yield now;
      return;
    }
    this.#files.set(path, { stamp, hash: now.hash });
    if (before?.hash === now.hash) return;
    yield { kind: before?.hash === undefined ? "added" : "changed", document: now };
    const left = skippedPages(now);
    if (left !== undefined) yield left;
  }

  *#remove(path: string): Generator<FolderChange> {
    const known = this.#files.get(path);
    this.#files.delete(path);
    if (known?.hash !== undefined) yield { kind: "removed", path };
  }
}

function pathOf(entry: FoundFile | Skip | { readonly path: string }): string {
  return "relative" in entry ? entry.relative : entry.path;
}

/** Differs whenever a file was written, replaced or changed its rights. */
function stampOf(entry: FoundFile | Skip): string {
  if (entry.kind === "skip") return `${entry.reason} ${entry.detail}`;
  const { dev, ino, size, mtimeMs, ctimeMs } = entry.stats;
  return [entry.real, dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

interface Wait {
  readonly quietMs: number;
  readonly pollMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One watcher per folder: what Node calls recursive misses files in folders that are new. */
class FolderWatchers implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  #hasChanged = false;
  #wake: () => void = () => {};

  /** Forgets what happened so far. */
  forget(): void {
    this.#hasChanged = false;
  }

  /** Watches exactly these folders; false when some were not watched before. @throws DataError where the system refuses. */
  watch(folders: ReadonlySet<string>): boolean {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    const added = [...folders].filter((folder) => !this.#watchers.has(folder));
    return added.map((folder) => this.#add(folder)).every((isWatched) => !isWatched);
  }

  /** Settles when something has happened and `quietMs` have passed without more, at `pollMs`, or when it is aborted. */
  async untilChanged({ quietMs, pollMs, signal }: Wait): Promise<void> {
    await this.#untilEvent(pollMs, signal);
    while (this.#hasChanged && !signal?.aborted) {
      this.#hasChanged = false;
      await setTimeout(quietMs);
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #untilEvent(pollMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#hasChanged || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = pollMs === undefined ? undefined : globalThis.setTimeout(() => this.#wake(), pollMs);
      this.#wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", this.#wake);
        resolve();
      };
      signal?.addEventListener("abort", this.#wake);
    });
  }

  /** Whether the folder is watched now; it may be gone already. */
  #add(folder: string): boolean {
    const notice = (): void => {
      this.#hasChanged = true;
      this.#wake();
    };
    try {
      const watcher = watch(folder, (event, name) => {
        // the folder's own name: it went away, and one that takes its place is another
        if (event === "rename" && name === basename(folder)) this.#drop(folder, watcher);
        notice();
      });
      watcher.on("error", () => {
        this.#drop(folder, watcher);
        notice();
      });
      this.#watchers.set(folder, watcher);
      return true;
    } catch (error) {
      const message = messageOf(error);
      if (/^(ENOENT|ENOTDIR|EACCES|EPERM)/.test(message)) return false;
      throw new DataError(
        `watchFolder: cannot watch ${folder}: ${message}; allow more (on Linux fs.inotify.max_user_watches), or watch a smaller folder`,
        { cause: error },
      );
    }
  }

  #drop(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }
}

function checkMilliseconds(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0 && value <= 2 ** 31 - 1) return;
  throw new ConfigError(`watchFolder: ${name} must be milliseconds from 0 to 2^31 - 1, not ${value}`);
}
