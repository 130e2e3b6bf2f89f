/** @file Texts of a file or of standard input, one on each line. */

import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { DataError, messageOf } from "../base/errors.js";

/**
 * Lines that are not blank. In a file that ends in .jsonl or .ndjson a line is a text in quotes or an object with a field
 * `text`; elsewhere it is the text itself.
 * @param path default: standard input.
 * @throws DataError naming the line that is none of these, or the file that cannot be read.
 */
export async function* inputTexts(path: string | undefined): AsyncGenerator<string> {
  const isJson = /\.(jsonl|ndjson)$/i.test(path ?? "");
  let number = 0;
  for await (const line of createInterface({ input: path === undefined ? process.stdin : await opened(path) })) {
    number++;
    if (line.trim() !== "") yield isJson ? textOf(line, `${path}:${number}`) : line;
  }
}

async function opened(path: string) {
  try {
    return (await open(path)).createReadStream({ encoding: "utf8" });
  } catch (thrown) {
    throw new DataError(`reading texts: ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function textOf(line: string, place: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (thrown) {
    throw new DataError(`${place}: no JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
  const text = typeof value === "object" && value !== null && "text" in value ? value.text : value;
  if (typeof text === "string") return text;
  throw new DataError(`${place}: expected a text, or an object with a field text, got ${line.slice(0, 80)}`);
}
