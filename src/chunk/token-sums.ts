/** @file Token counts of runs of units as differences of running sums, so that text is counted once. */
import type { TokenCounter } from "./chunk.js";
import { Strength } from "./strength.js";
import type { TextWindow } from "./text-window.js";
import type { Unit } from "./units.js";

/** How far before a unit's end a place is looked for where counts add up: what follows it is counted twice. */
const MAX_TAIL = 64;

/** A unit with its place in the running sum. */
export interface CountedUnit extends Unit {
  /** Last place where counts add up, or where the sum begins; the unit's end, if that is too far before it. */
  readonly cut: number;
  /** Whether `cut` is such a place. */
  readonly isExact: boolean;
  /** Tokens from where the sum begins to `cut`. */
  readonly tokensToCut: number;
  /** Tokens from `cut` to the unit's end. */
  readonly tail: number;
  /** Units before this one that are not exact: a sum across their ends is an estimate. */
  readonly numInexactBefore: number;
  /** Tokens from the unit's start to `cut`, if that lies after it; -1 until asked for. */
  head: number;
}

/**
 * Counts units in the order of the text: from cut to cut, so that white space between units is counted with the unit
 * after it. What the first and last unit of a run need besides, a word or a sentence, is counted when asked.
 */
export class TokenSums {
  readonly #window: TextWindow;
  readonly #counter: TokenCounter;

  constructor(window: TextWindow, counter: TokenCounter) {
    this.#window = window;
    this.#counter = counter;
  }

  count(start: number, end: number): number {
    const { text, base } = this.#window;
    return this.#counter.count(text, start - base, end - base);
  }

  /** Counts the unit that follows `previous`; without one, a new sum begins. */
  add(previous: CountedUnit | undefined, unit: Unit): CountedUnit {
    const from = previous === undefined || unit.strength === Strength.must ? unit.start : previous.cut;
    const found = this.#findCut(from, unit.end);
    const cut = found < 0 ? unit.end : found;
    const { start, end, strength, section, level, isProse } = unit;
    return {
      start,
      end,
      strength,
      section,
      level,
      isProse,
      cut,
      isExact: found >= 0,
      tokensToCut: (previous?.tokensToCut ?? 0) + this.count(from, cut),
      tail: cut < end ? this.count(cut, end) : 0,
      numInexactBefore: previous === undefined ? 0 : previous.numInexactBefore + (previous.isExact ? 0 : 1),
      head: -1,
    };
  }

  /** Tokens from `position`, which lies in unit `first`, to the end of unit `end - 1`. */
  between(units: readonly CountedUnit[], position: number, first: number, end: number): number {
    const last = units[end - 1]!;
    let i = first;
    while (i < end && units[i]!.cut < position) i++;
    if (i === end) return this.count(position, last.end);
    const unit = units[i]!;
    const head = position === unit.start ? this.#head(unit) : this.count(position, unit.cut);
    return head + last.tokensToCut - unit.tokensToCut + last.tail;
  }

  #head(unit: CountedUnit): number {
    if (unit.head < 0) unit.head = this.count(unit.start, unit.cut);
    return unit.head;
  }

  /** Last place in `[from, end]` where counts add up, and at `from` they do; -1 if it is too far before `end`. */
  #findCut(from: number, end: number): number {
    if (this.#counter.addsUpAt === undefined) return -1;
    const { text, base } = this.#window;
    for (let i = end; i >= end - MAX_TAIL; i--) {
      if (i === from || this.#counter.addsUpAt(text, i - base)) return i;
    }
    return -1;
  }
}

/** Whether `between` gives the count itself for a run, and not an estimate. */
export function isExactRun(first: CountedUnit, last: CountedUnit): boolean {
  return first.numInexactBefore === last.numInexactBefore;
}
