/** @file Pairs of a query and what answers it, with passages that do not: rows under any of their usual names. */

import { basename } from "node:path";
import { ConfigError, DataError } from "../../base/errors.js";
import type { Place } from "../example.js";
import { FaultList } from "../faults.js";
import { findFiles, isRowFile } from "../files/find-files.js";
import { readRows } from "../files/rows.js";

export interface TextPair {
  readonly query: string;
  readonly positive: string;
  /** Passages that look right and are not. */
  readonly negatives: readonly string[];
  readonly place: Place;
}

/** Names of the two columns, and of the third where there is one; the first that a row has both of are taken. */
const namings = [
  ["query", "positive"],
  ["anchor", "positive"],
  ["question", "answer"],
  ["question", "context"],
  ["question", "positive"],
  ["query", "passage"],
  ["query", "document"],
  ["sentence1", "sentence2"],
  ["title", "text"],
] as const;
const NEGATIVES = ["negative", "negatives", "hard_negative"] as const;

/** Columns of a file by what they are here. */
export interface PairColumns {
  readonly query?: string | undefined;
  readonly positive?: string | undefined;
  readonly negative?: string | undefined;
}

export interface ReadPairs {
  readonly pairs: readonly TextPair[];
  /** Of files that a folder names as held out (`validation.jsonl`). */
  readonly heldOut: readonly TextPair[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Reads JSON arrays and JSONL (also gzipped), and folders of these. A negative is a text or a list of texts. Further
 * columns are left alone.
 * @throws DataError naming file, line and column of each fault, or when there is no pair; ConfigError for columns that
 * the rows do not have.
 */
export async function readPairs(paths: string | readonly string[], columns: PairColumns = {}): Promise<ReadPairs> {
  const faults = new FaultList();
  const [pairs, heldOut]: [TextPair[], TextPair[]] = [[], []];
  const skipped: { path: string; reason: string }[] = [];
  for (const path of [paths].flat()) {
    const found = await findFiles(path);
    if (found.rows.length + found.heldOut.length === 0) {
      throw new DataError(
        `reading pairs: ${path} ${isRowFile(path) ? "has no rows" : "is no JSON or JSONL file, nor a folder with one"}`,
      );
    }
    skipped.push(...found.skipped);
    for (const file of found.rows) await readFile(file, columns, pairs, faults);
    for (const file of found.heldOut) await readFile(file, columns, heldOut, faults);
  }
  faults.throwIfAny("reading pairs");
  if (pairs.length === 0) throw new DataError(`reading pairs: ${[paths].flat().join(", ")}: there is no row`);
  return { pairs, heldOut, skipped };
}

async function readFile(path: string, columns: PairColumns, into: TextPair[], faults: FaultList): Promise<void> {
  for await (const { place, value } of readRows(path, basename(path), faults)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      faults.add({ place, message: `expected an object such as {"query": …, "positive": …}, got ${kindOf(value)}` });
      continue;
    }
    const row = value as Readonly<Record<string, unknown>>;
    const names = namesOf(row, columns);
    if (!names) {
      const known = namings.map(([query, positive]) => `${query} and ${positive}`).join(", ");
      faults.add({
        place,
        message: `expected ${known}; the row has ${Object.keys(row).join(", ") || "nothing"}; name yours in columns`,
      });
      continue;
    }
    const texts = [names.query, names.positive].map((name) => textOf(row, name, place, faults));
    const negatives = names.negative === undefined ? [] : negativesOf(row, names.negative, place, faults);
    const [query, positive] = texts;
    if (query === undefined || positive === undefined || !negatives) continue;
    into.push({ query, positive, negatives, place });
  }
}

interface Names {
  readonly query: string;
  readonly positive: string;
  readonly negative: string | undefined;
}

function namesOf(row: Readonly<Record<string, unknown>>, columns: PairColumns): Names | undefined {
  const wrong = Object.values(columns).find((name) => name !== undefined && !(name in row));
  if (wrong !== undefined && wrong !== columns.negative) {
    throw new ConfigError(`columns: a row has no column ${wrong}; it has ${Object.keys(row).join(", ")}`);
  }
  const usual = namings.find((pair) => pair.every((name) => name in row));
  const query = columns.query ?? usual?.[0];
  const positive = columns.positive ?? usual?.[1];
  if (query === undefined || positive === undefined) return undefined;
  const negative = columns.negative ?? NEGATIVES.find((name) => name in row);
  return { query, positive, negative: negative !== undefined && negative in row ? negative : undefined };
}

function textOf(
  row: Readonly<Record<string, unknown>>,
  name: string,
  place: Place,
  faults: FaultList,
): string | undefined {
  const value = row[name];
  if (typeof value === "string" && value.trim() !== "") return value;
  faults.add({ place, path: name, message: `expected a text that is not empty, got ${kindOf(value)}` });
  return undefined;
}

function negativesOf(
  row: Readonly<Record<string, unknown>>,
  name: string,
  place: Place,
  faults: FaultList,
): string[] | undefined {
  const value = row[name];
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const texts = values.filter((text): text is string => typeof text === "string" && text.trim() !== "");
  if (texts.length === values.length) return texts;
  const wrong = values.find((text) => !(typeof text === "string" && text.trim() !== ""));
  faults.add({ place, path: name, message: `expected a text or a list of texts, got ${kindOf(wrong)}` });
  return undefined;
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return "an empty text";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
