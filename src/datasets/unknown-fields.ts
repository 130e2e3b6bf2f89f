/** @file Fields of rows that a format does not have: counted, and refused or left out as one asks for. */

import type { Place } from "./example.js";
import type { FaultList } from "./faults.js";
import type { RawRow } from "./format.js";
import { writtenPath } from "./issues.js";

type Path = readonly PropertyKey[];

/** Counts unknown fields of a file by their path, in which every index is `[]`. */
export class UnknownFields {
  readonly #found = new Map<string, { count: number; readonly first: Place }>();

  add(paths: readonly Path[], place: Place): void {
    const names = new Set(paths.map((path) => writtenPath(path).replace(/\[\d+\]/g, "[]")));
    for (const name of names) {
      const entry = this.#found.get(name);
      if (entry) entry.count++;
      else this.#found.set(name, { count: 1, first: place });
    }
  }

  /** Rows by unknown field. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#found].map(([name, { count }]) => [name, count]));
  }

  report(faults: FaultList, format: string, fields: readonly string[]): void {
    for (const [path, { count, first }] of this.#found) {
      const advice = `${format} has ${fields.join(", ")}; pass unknownFields: "ignore" to leave it out`;
      faults.add({
        place: first,
        path,
        message: `unknown field, in ${count} ${count === 1 ? "row" : "rows"}; ${advice}`,
      });
    }
  }
}

/** A copy of the row without what is at the paths. */
export function without(row: RawRow, paths: readonly Path[]): RawRow {
  const copy = structuredClone(row);
  for (const path of paths) {
    let parent: unknown = copy;
    for (const key of path.slice(0, -1)) parent = Reflect.get(Object(parent), key);
    Reflect.deleteProperty(Object(parent), path.at(-1)!);
  }
  return copy;
}
