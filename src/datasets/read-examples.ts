/** @file Reads training data: files and folders to examples, with all that was found on the way. */

import { constants } from "node:buffer";
import { basename } from "node:path";
import { ConfigError, DataError } from "../base/errors.js";
import { scanFolder } from "../documents/index.js";
import { type Example, isEmpty, type Place } from "./example.js";
import { FaultList } from "./faults.js";
import { findFiles } from "./files/find-files.js";
import { readRows } from "./files/rows.js";
import type { DataFormat } from "./format.js";
import { type DataFormatName, dataFormats } from "./formats/index.js";
import { exampleOf, type RowOptions, RowParser } from "./row-parser.js";

export interface ReadOptions extends Omit<RowOptions, "format"> {
  /** By name or as an object (`schemaFormat`). Default: found by the fields of each file's first row. */
  readonly format?: DataFormatName | DataFormat;
  /** What one example of a text file is. Default "file". */
  readonly textUnit?: "file" | "line";
  /** What to do with exact duplicates; they are counted in any case. Default "keep". */
  readonly duplicates?: "keep" | "drop";
}

export interface FileReport {
  readonly path: string;
  readonly format: string;
  /** Why the file was taken to be of the format. */
  readonly reason: string;
  /** Rows of the file, those left out included. */
  readonly numRows: number;
  /** Rows by field that was left out. */
  readonly unknownFields: Readonly<Record<string, number>>;
}

export interface ReadReport {
  readonly files: readonly FileReport[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly numExamples: number;
  /** Rows without anything to learn, which are left out. */
  readonly empty: readonly Place[];
  /** Examples that are equal to an earlier one. */
  readonly duplicates: readonly Place[];
}

export interface ReadExamples {
  readonly examples: readonly Example[];
  /** Of files that a folder names as held out (`validation.jsonl`). */
  readonly heldOut: readonly Example[];
  readonly report: ReadReport;
}

/**
 * Reads JSON arrays, JSONL (also gzipped), text files, and folders of these: a folder's rows where it has any, else its
 * documents. All faults are gathered before it throws.
 * @throws DataError naming file, line, column or path of the faults, or when there is nothing to learn.
 * @throws UnsupportedError for preference data.
 * @throws ConfigError when options do not fit the data.
 */
export async function readExamples(
  paths: string | readonly string[],
  options: ReadOptions = {},
): Promise<ReadExamples> {
  const reading = new Reading(options);
  for (const path of typeof paths === "string" ? [paths] : paths) await reading.read(path);
  return reading.finish();
}

class Reading {
  readonly #options: ReadOptions;
  readonly #format: DataFormat | undefined;
  readonly #faults = new FaultList();
  readonly #files: FileReport[] = [];
  readonly #skipped: { path: string; reason: string }[] = [];
  readonly #empty: Place[] = [];
  readonly #duplicates: Place[] = [];
  readonly #examples: Example[] = [];
  readonly #heldOut: Example[] = [];
  /** Hashes of each side. An example that is on both is the split's business. */
  readonly #seen = new Map([this.#examples, this.#heldOut].map((side) => [side, new Set<string>()]));

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#format = typeof options.format === "string" ? formatNamed(options.format) : options.format;
  }

  async read(path: string): Promise<void> {
    const { rows, heldOut, skipped } = await findFiles(path);
    if (rows.length + heldOut.length === 0) return this.#readDocuments(path);
    this.#skipped.push(...skipped);
    for (const file of rows) await this.#readRows(file, this.#examples);
    for (const file of heldOut) await this.#readRows(file, this.#heldOut);
  }

  finish(): ReadExamples {
    this.#faults.throwIfAny("reading data");
    if (this.#examples.length === 0) {
      const files = this.#files.map(({ path, numRows }) => `${path} (${numRows} rows)`).join(", ");
      throw new DataError(`reading data: there is nothing to learn in ${files || "no file"}`);
    }
    return {
      examples: this.#examples,
      heldOut: this.#heldOut,
      report: {
        files: this.#files,
        skipped: this.#skipped,
        numExamples: this.#examples.length + this.#heldOut.length,
        empty: this.#empty,
        duplicates: this.#duplicates,
      },
    };
  }

  async #readRows(path: string, into: Example[]): Promise<void> {
    const { format: _, ...options } = this.#options;
    const parser = new RowParser(path, { ...options, ...(this.#format && { format: this.#format }) }, this.#faults);
    let numRows = 0;
    for await (const row of readRows(path, path, this.#faults)) {
      numRows++;
      const example = parser.parse(row);
      if (example) this.#take(example, into);
    }
    for (const example of parser.finish()) this.#take(example, into);
    const { format, reason } = parser.detected ?? { format: { name: "none" }, reason: "has no rows" };
    this.#files.push({ path, format: format.name, reason, numRows, unknownFields: parser.unknown.counts });
  }

  async #readDocuments(path: string): Promise<void> {
    const { textUnit = "file", columns, scoreColumn, output } = this.#options;
    if (output) throw new ConfigError(`reading data: ${path} is text, which has no completions for an output schema`);
    if (columns || scoreColumn !== undefined || (this.#format && this.#format !== dataFormats.text)) {
      throw new ConfigError(`reading data: ${path} is text; formats and columns are for JSON and JSONL`);
    }
    for await (const entry of scanFolder(path, { maxBytes: constants.MAX_STRING_LENGTH })) {
      if (entry.kind === "skip") this.#skipped.push({ path: entry.path, reason: `${entry.reason}: ${entry.detail}` });
      if (entry.kind !== "document") continue;
      const file = entry.path === basename(path) ? path : `${path}/${entry.path}`;
      const texts = textUnit === "file" ? [{ text: entry.text, place: { file } }] : linesOf(entry.text, file);
      for (const { text, place } of texts) this.#take(exampleOf({ kind: "text", text }, place), this.#examples);
      this.#files.push({
        path: file,
        format: "text",
        reason: "is a text file",
        numRows: texts.length,
        unknownFields: {},
      });
    }
  }

  #take(example: Example, into: Example[]): void {
    const { body, place, hash } = example;
    if (isEmpty(body)) return void this.#empty.push(place);
    const seen = this.#seen.get(into)!;
    const isDuplicate = seen.has(hash);
    if (isDuplicate) this.#duplicates.push(place);
    seen.add(hash);
    if (!isDuplicate || this.#options.duplicates !== "drop") into.push(example);
  }
}

function formatNamed(name: DataFormatName): DataFormat {
  if (Object.hasOwn(dataFormats, name)) return dataFormats[name];
  throw new ConfigError(`reading data: there is no format ${name}; there are ${Object.keys(dataFormats).join(", ")}`);
}

/** The lines of a text that are not blank. */
function linesOf(text: string, file: string): { text: string; place: Place }[] {
  const lines = text.split(/\r?\n/).map((line, i) => ({ text: line, place: { file, line: i + 1 } }));
  return lines.filter((line) => line.text.trim() !== "");
}
