/** @file What a chunk repeats of the one before: whole sentences or lines, else words. */
import { Strength } from "./strength.js";
import type { TextWindow } from "./text-window.js";
import type { CountedUnit } from "./token-sums.js";
import type { UnitQueue } from "./unit-queue.js";
import { wordStarts, wordStrength } from "./words.js";

/** A place in the text and the index of the unit that holds it. */
export interface Start {
  readonly position: number;
  readonly unit: number;
}

export interface OverlapLimits {
  /** Most tokens to repeat. */
  readonly overlapTokens: number;
  /** Most tokens of the chunk, the repeated ones included. */
  readonly maxTokens: number;
  /** The chunk must begin after this position, where the one before begins. */
  readonly after: number;
}

/** Whether a unit goes on with what the text before it says: not across a heading, nor across a gap that is not held. */
export function isContinued({ level, strength }: CountedUnit): boolean {
  return level === 0 && strength < Strength.heading;
}

/** Looks for where the chunk of the units `[first, end)` begins so as to repeat what the limits allow, never a heading's other side. */
export class OverlapSearch {
  readonly #queue: UnitQueue;
  readonly #window: TextWindow;
  readonly #first: number;
  readonly #end: number;
  readonly #limits: OverlapLimits;

  constructor(queue: UnitQueue, window: TextWindow, first: number, end: number, limits: OverlapLimits) {
    this.#queue = queue;
    this.#window = window;
    this.#first = first;
    this.#end = end;
    this.#limits = limits;
  }

  /** As many whole units as are allowed; where those are less than half of it, words of the unit before them too. */
  start(): Start {
    let unit = this.#first;
    while (this.#mayRepeatBefore(unit) && this.#isAllowed(this.#queue.at(unit - 1).start, unit - 1)) unit--;
    const whole = { position: this.#queue.at(unit).start, unit };
    const isEnough = unit < this.#first && this.#isHalf(whole.position, unit);
    if (isEnough || !this.#mayRepeatBefore(unit) || this.#queue.at(unit - 1).level > 0) return whole;
    const position = this.#wordIn(unit - 1);
    return position === undefined ? whole : { position, unit: unit - 1 };
  }

  /** The end of a code block or table says nothing without its beginning: outside the block only prose is repeated. */
  #mayRepeatBefore(unit: number): boolean {
    if (unit === 0 || !isContinued(this.#queue.at(unit))) return false;
    return this.#queue.at(unit).strength < Strength.introduced || this.#queue.at(unit - 1).isProse;
  }

  #isAllowed(position: number, unit: number): boolean {
    const { overlapTokens, maxTokens, after } = this.#limits;
    return (
      position > after &&
      this.#queue.isHoldable(position, this.#end) &&
      this.#queue.tokensFrom(position, unit, this.#first) <= overlapTokens &&
      this.#queue.tokensFrom(position, unit, this.#end) <= maxTokens
    );
  }

  #isHalf(position: number, unit: number): boolean {
    return this.#queue.tokensFrom(position, unit, this.#first) * 2 >= this.#limits.overlapTokens;
  }

  /** First word of a unit that is allowed, or the first after a comma if that repeats enough. */
  #wordIn(unit: number): number | undefined {
    const { text, base } = this.#window;
    const from = this.#queue.at(unit).start - base;
    const starts = wordStarts(text, from, this.#queue.at(unit).end - base);
    const allowed = starts.slice(firstTrue(starts, (at) => this.#isAllowed(at + base, unit)));
    const clause = allowed.find((at) => wordStrength(text, from, at) === Strength.clause);
    const chosen = clause !== undefined && this.#isHalf(clause + base, unit) ? clause : allowed[0];
    return chosen === undefined ? undefined : chosen + base;
  }
}

/** Index of the first item for which a claim is true that stays true from there on; the length, if there is none. */
function firstTrue(items: readonly number[], claim: (item: number) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (claim(items[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
