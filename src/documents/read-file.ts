/** @file A file as a document, by the reader of its kind. */
import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { ConfigError } from "../base/errors.js";
import type { Document, Reader, Skip } from "./document.js";
import { readers } from "./readers/index.js";
import { type FoundFile, skip, unreadable } from "./walk-folder.js";

const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;

export interface FileOptions {
  /**
   * Largest file that is read. Default 20 MiB, 256 MiB for PDF and DOCX, most of which is pictures: a larger one is data
   * rather than a document.
   */
  readonly maxBytes?: number;
  /**
   * Whether source code is read too, by its language. Default no: source code among documentation is mostly tooling, and
   * generated files would drown the documents.
   */
  readonly code?: boolean;
  /** More endings to read as plain text, with the dot (`.log`). Default none. */
  readonly plainTextExtensions?: readonly string[];
}

/** Reads files of all kinds that the options allow. */
export class FileReader {
  readonly #maxBytes: number | undefined;
  readonly #readers: readonly Reader[];
  readonly #plainTextExtensions: readonly string[];

  /** @throws ConfigError if an option is out of range. */
  constructor({ maxBytes, code = false, plainTextExtensions }: FileOptions) {
    this.#maxBytes = checkMaxBytes(maxBytes);
    this.#readers = Object.values<Reader>(readers).filter(({ isCode }) => code || !isCode);
    this.#plainTextExtensions = checkExtensions(plainTextExtensions);
  }

  /** Endings of the files that are read. */
  get extensions(): string[] {
    return [...this.#readers.flatMap(({ extensions }) => extensions), ...this.#plainTextExtensions];
  }

  async read(file: FoundFile): Promise<Document | Skip> {
    const reader = this.#readerOf(file.relative);
    if (reader === undefined) return skip(file, ...unknown(file));
    const maxBytes = this.#maxBytes ?? reader.maxBytes ?? DEFAULT_MAX_BYTES;
    const { size } = file.stats;
    if (size > maxBytes) return skip(file, "too large", `has ${size} bytes, maxBytes is ${maxBytes}`);
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
    return this.#readers.find(({ fileNames, extensions }) =>
      extension === "" ? fileNames.includes(name) : extensions.includes(extension),
    );
  }
}

/** The pages of a document that are left out because they are pictures. */
export function skippedPages({ path, picturePages: pages = [] }: Document): Skip | undefined {
  if (pages.length === 0) return undefined;
  const detail =
    pages.length === 1
      ? `page ${pages[0]} is a picture; run OCR on the file to read it`
      : `pages ${ranges(pages)} are pictures; run OCR on the file to read them`;
  return { kind: "skip", path, reason: "pages without text", detail };
}

/** Ascending numbers with runs as ranges: `2, 5-8`. */
function ranges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run?.[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}

/** What is said of a file without a reader. */
function unknown({ path }: FoundFile): ["legacy format" | "unsupported type", string] {
  const extension = extname(path);
  if (extension.toLowerCase() === ".doc") return ["legacy format", "is of Word 97 to 2003; save it as .docx"];
  return ["unsupported type", `has no known ending: ${extension || "none"}`];
}

function checkMaxBytes(maxBytes?: number): number | undefined {
  if (maxBytes === undefined) return undefined;
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
