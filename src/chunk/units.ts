/** @file Units, the smallest stretches that chunks are made of, and where they come from. */
import type { Span } from "./chunk.js";
import type { Section } from "./headings.js";

/** A sentence, a line, or a part of one, without the white space around it. Positions are absolute. */
export interface Unit extends Span {
  /** Strength of the boundary in front of it. */
  readonly strength: number;
  readonly section: Section;
  /** Level of the heading that it begins, or 0. */
  readonly level: number;
  /** Whether it is sentences, not lines of code or of a table. */
  readonly isProse: boolean;
}

/** Gives the units of a text in its order. */
export interface UnitSource {
  /** True after `next` found no unit because the stream has to bring more text first. */
  readonly isStarved: boolean;
  /** Text before this is not read again. */
  readonly position: number;
  /** Whether so much white space has been skipped that the next unit, not found yet, stands apart. */
  readonly isPastGap: boolean;
  /** The next unit; undefined at the end of the text, or when starved. */
  next(): Unit | undefined;
}

/** Units that are known already. */
export class ListedUnits implements UnitSource {
  readonly isStarved = false;
  readonly isPastGap = false;
  readonly #units: readonly Unit[];
  #next = 0;

  constructor(units: readonly Unit[]) {
    this.#units = units;
  }

  get position(): number {
    return this.#units[this.#next]?.start ?? this.#units.at(-1)?.end ?? 0;
  }

  next(): Unit | undefined {
    return this.#units[this.#next++];
  }
}
