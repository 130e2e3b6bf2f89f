/** @file The kinds of character that pre-tokenizers tell apart, looked up in a table. */

import { codePointAt } from "../algorithms/utf8.js";

/** `\p{L}` */
export const letter = 1;
/** `\p{N}` */
export const number = 2;
/** `\p{White_Space}`, which is what `\s` means in the pre-tokenizers' regular expressions; all are one code unit. */
export const space = 3;
/** Everything else: punctuation, marks, symbols, controls, lone surrogates. */
export const other = 4;

const pageSize = 256;

export class CharClasses {
  readonly #classOf: (character: string) => number;
  /** Class by code point, 0 where not looked up yet and for surrogates. Zeroed pages cost no memory until touched. */
  readonly #table = new Uint8Array(0x110000);

  /** @param classOf the class of a character, from 1 to 255; by default one of the four above. Lone surrogates are `other`. */
  constructor(classOf: (character: string) => number = wordClass) {
    this.#classOf = classOf;
  }

  /** Class of the character at `index`, of which only code units before `end` are seen. */
  at(text: string, index: number, end: number): number {
    return this.#table[text.charCodeAt(index)]! || this.#lookUp(codePointAt(text, index, end));
  }

  /** Where the run of characters of class `kind` ends, the first of which has its first code unit at `start`. */
  runEnd(text: string, start: number, end: number, kind: number): number {
    const table = this.#table;
    let at = start + 1;
    while (at < end && (table[text.charCodeAt(at)]! || this.#within(text, at, end)) === kind) at++;
    return at;
  }

  /** Class of the character that the code unit at `index` belongs to; it may be the second of two. */
  #within(text: string, index: number, end: number): number {
    const isSecond = isBetween(text.charCodeAt(index), 0xdc00, 0xdfff);
    return this.at(text, isSecond && isBetween(text.charCodeAt(index - 1), 0xd800, 0xdbff) ? index - 1 : index, end);
  }

  #lookUp(codePoint: number): number {
    if (this.#table[codePoint] === 0) this.#load(codePoint - (codePoint % pageSize));
    return this.#table[codePoint]!;
  }

  #load(page: number): void {
    for (let codePoint = page; codePoint < page + pageSize; codePoint++) {
      if (!isBetween(codePoint, 0xd800, 0xdfff))
        this.#table[codePoint] = this.#classOf(String.fromCodePoint(codePoint));
    }
  }
}

function isBetween(value: number, lowest: number, highest: number): boolean {
  return value >= lowest && value <= highest;
}

function wordClass(character: string): number {
  if (/\p{L}/u.test(character)) return letter;
  if (/\p{N}/u.test(character)) return number;
  return /\p{White_Space}/u.test(character) ? space : other;
}
