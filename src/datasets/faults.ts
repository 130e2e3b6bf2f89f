/** @file Faults of rows, gathered so that a person sees many at once, with the total. */

import { DataError } from "../base/errors.js";
import { type Place, written } from "./example.js";

export interface Fault {
  readonly place: Place;
  /** Counted from 1, in UTF-16 code units; for what is no JSON. */
  readonly column?: number;
  /** Where in the row: `messages[2].content`. */
  readonly path?: string;
  readonly message: string;
}

/** Faults that a message lists; all are counted. */
const maxListed = 20;

export class FaultList {
  readonly #listed: Fault[] = [];
  #total = 0;

  /** Faults so far, those beyond the listed ones included. */
  get total(): number {
    return this.#total;
  }

  add(fault: Fault): void {
    if (this.#total++ < maxListed) this.#listed.push(fault);
  }

  /** @throws DataError with the first faults and their total, if there is any. */
  throwIfAny(operation: string): void {
    if (this.#total === 0) return;
    const faults = `${this.#total} ${this.#total === 1 ? "fault" : "faults"}`;
    const more = this.#total > this.#listed.length ? `\n  … and ${this.#total - this.#listed.length} more` : "";
    throw new DataError(`${operation}: ${faults}:\n  ${this.#listed.map(sentence).join("\n  ")}${more}`);
  }
}

function sentence({ place, column, path, message }: Fault): string {
  const at = column === undefined ? written(place) : `${written(place)}:${column}`;
  return path === undefined || path === "" ? `${at}: ${message}` : `${at}: ${path}: ${message}`;
}

/** Places by example: `a.jsonl:3, a.jsonl:9 and 4 more`. */
export function writtenPlaces(places: readonly Place[], shown = 5): string {
  const rest = places.length - shown;
  return places.slice(0, shown).map(written).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
