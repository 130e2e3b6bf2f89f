/** @file Walks a folder, in the same order on every machine: files, links that stay inside, and reasons for the rest. */
import type { Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { DataError, messageOf } from "../base/errors.js";
import type { Skip, SkipReason } from "./document.js";

/** A file or folder: where it is, its path for people, and its path without links. */
export interface Place {
  readonly path: string;
  readonly relative: string;
  readonly real: string;
}

/** A file that a walk came upon; nothing of it has been read. */
export interface FoundFile extends Place {
  readonly kind: "file";
  readonly stats: Stats;
}

type Entries = AsyncGenerator<FoundFile | Skip>;

/** One walk through a folder. */
export class FolderWalk {
  /** Hidden files and folders, and `node_modules`. */
  numIgnored = 0;
  /** Folders, without links, whose entries decide what the walk finds: those gone through, and those of links' targets. */
  readonly folders = new Set<string>();
  #root = "";
  /** Folders that were entered through a link; a second link to one would only repeat it. */
  readonly #linked = new Set<string>();

  /**
   * Files below `root`, or `root` itself, in the order of their names' code units, and what is none with the reason.
   * Links are followed where they stay in the folder.
   * @throws DataError if `root` does not exist, cannot be read or is no file or folder.
   */
  async *entries(root: string): Entries {
    const { info, real } = await openRoot(root);
    this.#root = real;
    if (info.isFile()) this.folders.add(dirname(real));
    const place = { path: root, relative: info.isFile() ? basename(real) : "", real };
    yield* this.#visit(place, info, []);
  }

  /** `ancestors` are the real paths of the folders around the place. */
  async *#visit(place: Place, info: Stats, ancestors: readonly string[]): Entries {
    if (info.isFile()) yield { kind: "file", ...place, stats: info };
    else if (info.isDirectory()) yield* this.#folder(place, [...ancestors, place.real]);
    else if (info.isSymbolicLink()) yield* this.#link(place, ancestors);
    else yield skip(place, "unsupported type", "is neither a file nor a folder");
  }

  async *#folder(folder: Place, ancestors: readonly string[]): Entries {
    this.folders.add(folder.real);
    const names = await readdir(folder.path).catch((error: unknown) => unreadable(folder, error));
    if ("kind" in names) return yield names;
    for (const name of names.sort()) {
      if (name.startsWith(".") || name === "node_modules") this.numIgnored++;
      else yield* this.#child(childOf(folder, name), ancestors);
    }
  }

  async *#child(place: Place, ancestors: readonly string[]): Entries {
    const info = await lstat(place.path).catch((error: unknown) => unreadable(place, error));
    if ("kind" in info) yield info;
    else yield* this.#visit(place, info, ancestors);
  }

  async *#link(link: Place, ancestors: readonly string[]): Entries {
    const target = await followLink(link);
    if ("kind" in target) return yield target;
    this.folders.add(dirname(target.real));
    const place = { ...link, real: target.real };
    const refusal = this.#refuse(place.real, ancestors);
    if (refusal !== undefined) return yield skip(link, refusal, `points to ${place.real}`);
    if (target.info.isDirectory()) this.#linked.add(place.real);
    yield* this.#visit(place, target.info, ancestors);
  }

  #refuse(real: string, ancestors: readonly string[]): SkipReason | undefined {
    const isInside = real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep);
    if (!isInside) return "link out of the folder";
    if (ancestors.includes(real)) return "link loop";
    return this.#linked.has(real) ? "repeated link" : undefined;
  }
}

function childOf(folder: Place, name: string): Place {
  const relative = folder.relative === "" ? name : `${folder.relative}/${name}`;
  return { path: join(folder.path, name), relative, real: join(folder.real, name) };
}

export function skip({ relative }: Place, reason: SkipReason, detail: string): Skip {
  return { kind: "skip", path: relative, reason, detail };
}

export function unreadable(place: Place, error: unknown): Skip {
  return skip(place, "unreadable", messageOf(error));
}

async function followLink(link: Place): Promise<{ real: string; info: Stats } | Skip> {
  try {
    const real = await realpath(link.path);
    return { real, info: await stat(real) };
  } catch (error) {
    const message = messageOf(error);
    return skip(link, message.startsWith("ELOOP") ? "link loop" : "broken link", message);
  }
}

async function openRoot(root: string): Promise<{ real: string; info: Stats }> {
  try {
    const real = await realpath(root);
    const info = await stat(real);
    if (info.isDirectory()) await readdir(real);
    else if (!info.isFile()) throw new Error("it is neither a file nor a folder");
    return { real, info };
  } catch (error) {
    const isMissing = messageOf(error).startsWith("ENOENT");
    const cause = isMissing ? "it does not exist; check the path" : messageOf(error);
    throw new DataError(`reading a folder: cannot read ${root}: ${cause}`, { cause: error });
  }
}
