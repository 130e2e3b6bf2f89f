/** @file Walks a folder and reads its documents, in the same order on every machine. */
import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, extname, join, sep } from "node:path";
import { ConfigError, DataError, messageOf } from "../base/errors.js";
import type { Document, Reader, ScanEntry, ScanSummary, Skip, SkipReason } from "./document.js";
import { readers } from "./readers/index.js";

const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;

export interface ScanOptions {
  /** Largest file that is read. Default 20 MiB: a larger one is data rather than a document. */
  readonly maxBytes?: number;
  /**
   * More endings to read as plain text, with the dot (`.ts`, `.py`). Default none: source code among documentation is
   * mostly tooling, and generated files would drown the documents.
   */
  readonly plainTextExtensions?: readonly string[];
}

/**
 * Reads the documents in a folder and the folders in it, or a single file, one at a time; names come in the order of
 * their code units. Each file that is no document is an entry with the reason; hidden ones and `node_modules` are only
 * counted. Links are followed where they stay in the folder. A summary comes last.
 * @throws ConfigError if an option is out of range.
 * @throws DataError if `root` does not exist, cannot be read or is no file or folder, or holds no document at all.
 */
export async function* scanFolder(root: string, options: ScanOptions = {}): AsyncGenerator<ScanEntry> {
  const scan = new Scan(checkMaxBytes(options.maxBytes), checkExtensions(options.plainTextExtensions));
  const firstSkips = new Map<SkipReason, string>();
  const numSkipped = new Map<SkipReason, number>();
  let numDocuments = 0;
  for await (const entry of scan.entries(root)) {
    if (entry.kind === "document") numDocuments++;
    else {
      numSkipped.set(entry.reason, (numSkipped.get(entry.reason) ?? 0) + 1);
      if (!firstSkips.has(entry.reason)) firstSkips.set(entry.reason, `${entry.path}: ${entry.detail}`);
    }
    yield entry;
  }
  const summary: ScanSummary = { kind: "summary", numDocuments, numIgnored: scan.numIgnored, numSkipped };
  if (numDocuments === 0) throw noDocuments(root, summary, firstSkips);
  yield summary;
}

/** A file or folder: where it is, its path for people, and its path without links. */
interface Place {
  readonly path: string;
  readonly relative: string;
  readonly real: string;
}

type Entries = AsyncGenerator<Document | Skip>;

class Scan {
  numIgnored = 0;
  readonly #maxBytes: number;
  readonly #plainTextExtensions: readonly string[];
  #root = "";
  /** Folders that were entered through a link; a second link to one would only repeat it. */
  readonly #linked = new Set<string>();

  constructor(maxBytes: number, plainTextExtensions: readonly string[]) {
    this.#maxBytes = maxBytes;
    this.#plainTextExtensions = plainTextExtensions;
  }

  async *entries(root: string): Entries {
    const { info, real } = await openRoot(root);
    this.#root = real;
    const place = { path: root, relative: info.isFile() ? basename(real) : "", real };
    yield* this.#read(place, info, []);
  }

  /** `ancestors` are the real paths of the folders around the place. */
  async *#read(place: Place, info: Stats, ancestors: readonly string[]): Entries {
    if (info.isFile()) yield await this.#readFile(place, info.size);
    else if (info.isDirectory()) yield* this.#readFolder(place, [...ancestors, place.real]);
    else if (info.isSymbolicLink()) yield* this.#readLink(place, ancestors);
    else yield skip(place, "unsupported type", "is neither a file nor a folder");
  }

  async *#readFolder(folder: Place, ancestors: readonly string[]): Entries {
    const names = await readdir(folder.path).catch((error: unknown) => unreadable(folder, error));
    if ("kind" in names) return yield names;
    for (const name of names.sort()) {
      if (name.startsWith(".") || name === "node_modules") this.numIgnored++;
      else yield* this.#readChild(childOf(folder, name), ancestors);
    }
  }

  async *#readChild(place: Place, ancestors: readonly string[]): Entries {
    const info = await lstat(place.path).catch((error: unknown) => unreadable(place, error));
    if ("kind" in info) yield info;
    else yield* this.#read(place, info, ancestors);
  }

  async *#readLink(link: Place, ancestors: readonly string[]): Entries {
    const target = await followLink(link);
    if ("kind" in target) return yield target;
    const place = { ...link, real: target.real };
    const refusal = this.#refuse(place.real, ancestors);
    if (refusal !== undefined) return yield skip(link, refusal, `points to ${place.real}`);
    if (target.info.isDirectory()) this.#linked.add(place.real);
    yield* this.#read(place, target.info, ancestors);
  }

  #refuse(real: string, ancestors: readonly string[]): SkipReason | undefined {
    const isInside = real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep);
    if (!isInside) return "link out of the folder";
    if (ancestors.includes(real)) return "link loop";
    return this.#linked.has(real) ? "repeated link" : undefined;
  }

  async #readFile(file: Place, numBytes: number): Promise<Document | Skip> {
    const reader = this.#readerOf(file.relative);
    if (reader === undefined)
      return skip(file, "unsupported type", `has no known ending: ${extname(file.path) || "none"}`);
    if (numBytes > this.#maxBytes)
      return skip(file, "too large", `has ${numBytes} bytes, maxBytes is ${this.#maxBytes}`);
    const bytes = await readFile(file.path).catch((error: unknown) => unreadable(file, error));
    if ("kind" in bytes) return bytes;
    const result = await reader.read(bytes);
    if ("reason" in result) return skip(file, result.reason, result.detail);
    if (result.text.trim() === "") return skip(file, "empty", "has no text");
    return {
      kind: "document",
      path: file.relative,
      ...result,
      hash: createHash("sha256").update(bytes).digest("hex"),
      numBytes: bytes.length,
      mediaType: reader.mediaType,
    };
  }

  #readerOf(path: string): Reader | undefined {
    const name = basename(path).toLowerCase();
    const extension = extname(name);
    if (this.#plainTextExtensions.includes(extension)) return readers["plain-text"];
    return Object.values(readers).find((reader) =>
      extension === "" ? reader.fileNames.includes(name) : reader.extensions.includes(extension),
    );
  }
}

function childOf(folder: Place, name: string): Place {
  const relative = folder.relative === "" ? name : `${folder.relative}/${name}`;
  return { path: join(folder.path, name), relative, real: join(folder.real, name) };
}

function skip({ relative }: Place, reason: SkipReason, detail: string): Skip {
  return { kind: "skip", path: relative, reason, detail };
}

function unreadable(place: Place, error: unknown): Skip {
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
    throw new DataError(`scanFolder: cannot read ${root}: ${cause}`, { cause: error });
  }
}

function checkMaxBytes(maxBytes = DEFAULT_MAX_BYTES): number {
  if (Number.isSafeInteger(maxBytes) && maxBytes > 0 && maxBytes <= constants.MAX_STRING_LENGTH) return maxBytes;
  throw new ConfigError(
    `scanFolder: maxBytes must be a whole number from 1 to ${constants.MAX_STRING_LENGTH}, the longest text, not ${maxBytes}`,
  );
}

function checkExtensions(extensions: readonly string[] = []): string[] {
  const wrong = extensions.find((extension) => !/^\.[^./\\]+$/.test(extension));
  if (wrong === undefined) return extensions.map((extension) => extension.toLowerCase());
  throw new ConfigError(
    `scanFolder: plainTextExtensions must be endings with their dot, such as ".ts", not "${wrong}"`,
  );
}

function noDocuments(
  root: string,
  { numIgnored, numSkipped }: ScanSummary,
  first: ReadonlyMap<SkipReason, string>,
): DataError {
  const reasons = [...numSkipped].map(([reason, count]) => `${count} ${reason} (such as ${first.get(reason)})`);
  if (numIgnored > 0) reasons.push(`${numIgnored} hidden or in node_modules`);
  const endings = Object.values(readers).flatMap(({ extensions }) => extensions);
  const found = reasons.length === 0 ? "it is empty" : reasons.join("; ");
  return new DataError(`scanFolder: ${root} has no document to read: ${found}. Documents end in ${endings.join(", ")}`);
}
