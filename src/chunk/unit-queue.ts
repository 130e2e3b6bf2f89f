/** @file The counted units that chunks are being made of: read when asked for, dropped when used. */
import type { Span, TokenCounter } from "./chunk.js";
import { Strength } from "./strength.js";
import type { TextWindow } from "./text-window.js";
import { type CountedUnit, isExactRun, TokenSums } from "./token-sums.js";
import type { Unit, UnitSource } from "./units.js";
import { cutWords } from "./words.js";

/** A token stands for at most this many code units, or a text without countable tokens would be one endless chunk. */
const MAX_CHARS_PER_TOKEN = 256;

/** Units by index, oldest first. Runs are `[first, end)`; their token counts are estimates unless said otherwise. */
export class UnitQueue {
  /** True once a unit was asked for that the stream has not brought yet. */
  isStarved = false;
  readonly #window: TextWindow;
  readonly #source: UnitSource;
  readonly #sums: TokenSums;
  readonly #maxTokens: number;
  #units: CountedUnit[] = [];

  constructor(window: TextWindow, source: UnitSource, counter: TokenCounter, maxTokens: number) {
    this.#window = window;
    this.#source = source;
    this.#sums = new TokenSums(window, counter);
    this.#maxTokens = maxTokens;
  }

  /** Whether there is a unit `index`; false at the text's end, past a gap that nothing reaches across, and when starved. */
  has(index: number): boolean {
    while (index >= this.#units.length) {
      const unit = this.#source.next();
      if (unit === undefined) {
        this.isStarved ||= this.#source.isStarved && !this.#source.isPastGap;
        return false;
      }
      this.#push(unit);
    }
    return true;
  }

  at(index: number): CountedUnit {
    return this.#units[index]!;
  }

  /** The units of a run. */
  units(first: number, end: number): Unit[] {
    return this.#units.slice(first, end);
  }

  tokens(first: number, end: number): number {
    return this.tokensFrom(this.at(first).start, first, end);
  }

  /** Tokens from `position`, which lies in unit `first`, to the end of the run. */
  tokensFrom(position: number, first: number, end: number): number {
    return this.#sums.between(this.#units, position, first, end);
  }

  /** Tokens from `position`, which lies in unit `first`, to the end of the run, as the counter counts them. */
  exactTokensFrom(position: number, first: number, end: number): number {
    const last = this.at(end - 1);
    if (!isExactRun(this.at(first), last)) return this.#sums.count(position, last.end);
    return this.tokensFrom(position, first, end);
  }

  fits(first: number, end: number, maxTokens: number): boolean {
    return this.isHoldable(this.at(first).start, end) && this.tokens(first, end) <= maxTokens;
  }

  /** Whether the text from `start` to the end of the run is short enough to be held, whatever its tokens. */
  isHoldable(start: number, end: number): boolean {
    return this.at(end - 1).end - start <= this.#maxTokens * MAX_CHARS_PER_TOKEN;
  }

  /**
   * End of the run that begins at `first` and reaches to the next boundary as strong as its own, or as `atMost`;
   * -1 if it fits no chunk.
   */
  elementEnd(first: number, atMost: number = Strength.must): number {
    const strength = Math.min(this.at(first).strength, atMost);
    for (let end = first + 1; ; end++) {
      if (!this.fits(first, end, this.#maxTokens)) return -1;
      if (!this.has(end) || this.at(end).strength >= strength) return end;
    }
  }

  /** Replaces a unit that no chunk can hold by its words, or their parts. */
  split(index: number): void {
    const [unit, ...rest] = this.#units.splice(index);
    for (const piece of this.#cut(unit!)) this.#add(piece);
    for (const next of rest) this.#add(next);
  }

  /** Whether the text goes on too far away for any unit here to be of use. */
  get isPastGap(): boolean {
    return this.#source.isPastGap;
  }

  /** Forgets the first `count` units and the text that the rest is not counted with. */
  drop(count: number): void {
    const next = this.#units[count];
    this.#units.splice(0, count);
    this.#window.keepFrom(next === undefined ? this.#source.position : Math.min(next.start, next.cut));
  }

  #push(unit: Unit): void {
    const previous = this.#units.at(-1);
    const counted = this.#sums.add(previous, unit);
    const tokens = counted.tokensToCut - (previous?.tokensToCut ?? 0) + counted.tail;
    const isTooLarge = tokens > this.#maxTokens && this.#sums.count(unit.start, unit.end) > this.#maxTokens;
    if (!isTooLarge) this.#units.push(counted);
    else for (const piece of this.#cut(unit)) this.#add(piece);
  }

  #add(unit: Unit): void {
    this.#units.push(this.#sums.add(this.#units.at(-1), unit));
  }

  #cut(unit: Unit): Unit[] {
    const { text, base } = this.#window;
    const fits = ({ start, end }: Span): boolean => this.#sums.count(start + base, end + base) <= this.#maxTokens;
    return cutWords(text, unit.start - base, unit.end - base, fits).map(({ start, end, strength }, i) => ({
      start: start + base,
      end: end + base,
      section: unit.section,
      isProse: unit.isProse,
      level: i === 0 ? unit.level : 0,
      strength: i === 0 ? unit.strength : strength,
    }));
  }
}
