/** @file Rows of one file to examples: names its columns, finds its format, checks each row. */

import { createHash } from "node:crypto";
import { type ColumnMapping, ColumnRenaming } from "./columns.js";
import { type DetectedFormat, detectFormat } from "./detect.js";
import { type Example, type ExampleBody, isEmpty, type Place } from "./example.js";
import type { FaultList } from "./faults.js";
import type { Row } from "./files/rows.js";
import type { DataFormat, RawRow } from "./format.js";
import { issuesOf } from "./issues.js";
import { bestPaths, type PlacedMessage, type TreeMessage } from "./message-trees.js";
import { type OutputSchema, withOutput } from "./output-schema.js";
import { UnknownFields, without } from "./unknown-fields.js";

export interface RowOptions {
  /** Default: found by the fields of the first row. */
  readonly format?: DataFormat;
  readonly columns?: ColumnMapping;
  /** A column of numbers that is kept beside the example, for a curriculum. */
  readonly scoreColumn?: string;
  /** Completions are checked against it and written in its order. */
  readonly output?: OutputSchema;
  /** What to do with fields that the format does not have. Default "error". */
  readonly unknownFields?: "error" | "ignore";
}

export class RowParser {
  readonly unknown = new UnknownFields();
  readonly #file: string;
  readonly #options: RowOptions;
  readonly #faults: FaultList;
  readonly #renaming: ColumnRenaming;
  #detected: DetectedFormat | undefined;
  #first: RawRow | undefined;
  readonly #messages: PlacedMessage[] = [];

  constructor(file: string, options: RowOptions, faults: FaultList) {
    this.#file = file;
    this.#options = options;
    this.#faults = faults;
    this.#renaming = new ColumnRenaming(options.columns);
  }

  /** Undefined while no row was seen. */
  get detected(): DetectedFormat | undefined {
    return this.#detected;
  }

  /** The example of a row; undefined where it has faults, or is a message of a tree. */
  parse({ place, value }: Row): Example | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#faults.add({ place, message: `expected an object, found ${JSON.stringify(value).slice(0, 40)}` });
      return undefined;
    }
    this.#first ??= value as RawRow;
    const renamed = this.#renaming.apply(value as RawRow);
    const { row, score } = this.#takeScore(renamed.row, value as RawRow, place);
    const { format } = this.#formatOf(row);
    const unknown = renamed.replaced.map((field) => [field]);
    const body = this.#check(format, row, place, unknown);
    this.unknown.add(unknown, place);
    if (body === undefined || (unknown.length > 0 && this.#options.unknownFields !== "ignore")) return undefined;
    if (body.kind !== "tree-message") return this.#exampleOf(body, place, score);
    this.#messages.push({ message: body, place });
    return undefined;
  }

  /** Examples and faults that only the whole file shows. @throws ConfigError when a mapped column is in no row. */
  finish(): Example[] {
    this.#renaming.checkSeen(this.#file, this.#first);
    if (this.#detected && this.#options.unknownFields !== "ignore") {
      const { name, fields } = this.#detected.format;
      this.unknown.report(this.#faults, name, fields);
    }
    const paths = bestPaths(this.#messages, this.#faults);
    return paths.flatMap(({ body, place }) => this.#exampleOf(body, place) ?? []);
  }

  #exampleOf(body: ExampleBody, place: Place, score?: number): Example | undefined {
    const output = this.#output(body, place);
    return output && exampleOf(output, place, score);
  }

  #formatOf(row: RawRow): DetectedFormat {
    if (this.#detected) return this.#detected;
    const { format } = this.#options;
    this.#detected = format ? { format, reason: "was named" } : detectFormat(row, this.#file);
    this.#renaming.checkFields(this.#detected.format);
    return this.#detected;
  }

  /** The score by the file's name of the column, and the row without it. */
  #takeScore(row: RawRow, original: RawRow, place: Place): { row: RawRow; score?: number } {
    const { scoreColumn } = this.#options;
    if (scoreColumn === undefined) return { row };
    const { [scoreColumn]: _, ...rest } = row;
    const score = original[scoreColumn];
    if (typeof score === "number" && Number.isFinite(score)) return { row: rest, score };
    this.#faults.add({
      place,
      path: scoreColumn,
      message: `expected a number as score, found ${JSON.stringify(score)}`,
    });
    return { row: rest };
  }

  /** The body with its completions as the output schema has them. */
  #output(body: ExampleBody, place: Place): ExampleBody | undefined {
    if (!this.#options.output || isEmpty(body)) return body;
    const made = withOutput(body, this.#options.output);
    if ("body" in made) return made.body;
    for (const { path, message } of made.faults) this.#faults.add({ place, path, message });
    return undefined;
  }

  #check(
    format: DataFormat,
    row: RawRow,
    place: Place,
    unknown: PropertyKey[][],
  ): ExampleBody | TreeMessage | undefined {
    const result = format.schema.safeParse(row);
    if (result.success) return result.data;
    const issues = issuesOf(result.error);
    for (const { path, message } of issues.faults) this.#faults.add({ place, path, message });
    unknown.push(...issues.unknown.map((path) => [...path]));
    if (issues.faults.length > 0 || this.#options.unknownFields !== "ignore") return undefined;
    return this.#check(format, without(row, issues.unknown), place, []);
  }
}

/** An example with its hash. */
export function exampleOf(body: ExampleBody, place: Place, score?: number): Example {
  const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  return { body, place, hash, ...(score !== undefined && { score }) };
}
