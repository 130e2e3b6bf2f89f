/** @file The rows of a file, in order, with what is no JSON among them as faults. */

import type { Place } from "../example.js";
import type { FaultList } from "../faults.js";
import { findJsonFault } from "./json-fault.js";
import { arrayElements, lines, type RowText } from "./row-text.js";
import { textChunks } from "./text-chunks.js";

export interface Row {
  readonly place: Place;
  readonly value: unknown;
}

/**
 * Reads rows one at a time: the elements of an array where the text begins with a bracket, else one on each line. A line that is no
 * JSON is a fault, and reading goes on after it; an array cannot be trusted after one.
 * @param file what the file is called in places and faults.
 * @throws DataError when the file cannot be read.
 */
export async function* readRows(path: string, file: string, faults: FaultList): AsyncGenerator<Row> {
  const chunks = textChunks(path);
  const opening: string[] = [];
  while (opening.every((text) => text.trim() === "")) {
    const next = await chunks.next();
    if (next.done) return;
    opening.push(next.value);
  }
  const isArray = opening.join("").trimStart().startsWith("[");
  const whole = chained(opening, chunks);
  for await (const row of isArray ? arrayElements(whole) : lines(whole)) {
    const parsed = parse(row, file, faults);
    if (parsed) yield parsed;
    else if (isArray || isOpenObject(row)) return;
  }
}

async function* chained(first: readonly string[], rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield* first;
  yield* rest;
}

function parse({ text, line, column, fault }: RowText, file: string, faults: FaultList): Row | undefined {
  const place = { file, line };
  if (fault !== undefined) {
    faults.add({ place, column, message: fault });
    return undefined;
  }
  try {
    return { place, value: JSON.parse(text) as unknown };
  } catch {
    const { offset, message: broken } = findJsonFault(text) ?? { offset: 0, message: "expected JSON" };
    const message = isOpenObject({ text })
      ? "expected rows as a list in [ ] or one on each line, found an object over several lines"
      : broken;
    const before = text.slice(0, offset).split("\n");
    const columns = before.at(-1)!.length + (before.length === 1 ? column : 1);
    faults.add({ place: { file, line: line + before.length - 1 }, column: columns, message });
    return undefined;
  }
}

/** Whether a line is only the beginning of an object that is written over several lines. */
const isOpenObject = ({ text }: Pick<RowText, "text">): boolean => text.trim() === "{";
