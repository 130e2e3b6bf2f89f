/** @file Encodes words, and remembers the outcome for those that come back. */

import type { IntList } from "./int-list.js";
import { WordTable } from "./word-table.js";

/** Longer words seldom come back, and would push out those that do. */
const maxCachedUnits = 64;
/** Bounds of the memory: 4 MB of table, 2 MB of characters and 2 MB of ids, enough for 10 MB of English. */
const maxCachedWords = 1 << 17;
const maxCachedCharacters = 1 << 20;
const maxCachedIds = 1 << 19;
/** A cached value packs where the ids lie and how many they are; a word of 64 code units has at most 192 bytes. */
const countBits = 8;

/** Writes the ids of the word `text[start, end)` into `ids`, which has three places per code unit; returns how many they are. */
export type WordFunction = (text: string, start: number, end: number, ids: Int32Array) => number;

export class WordEncoder {
  readonly #encodeWord: WordFunction;
  readonly #words = new WordTable();
  #ids = new Int32Array(4096);
  #numIds = 0;
  #symbols = new Int32Array(3 * maxCachedUnits);

  constructor(encodeWord: WordFunction) {
    this.#encodeWord = encodeWord;
  }

  count(text: string, start: number, end: number): number {
    if (end - start > maxCachedUnits) return this.#encodeLong(text, start, end, undefined);
    return this.#cached(text, start, end) & ((1 << countBits) - 1);
  }

  encode(text: string, start: number, end: number, out: IntList): void {
    if (end - start > maxCachedUnits) {
      this.#encodeLong(text, start, end, out);
      return;
    }
    const value = this.#cached(text, start, end);
    const first = value >>> countBits;
    out.append(this.#ids, first, first + (value & ((1 << countBits) - 1)));
  }

  #encodeLong(text: string, start: number, end: number, out: IntList | undefined): number {
    const symbols = new Int32Array(3 * (end - start));
    const count = this.#encodeWord(text, start, end, symbols);
    out?.append(symbols, 0, count);
    return count;
  }

  #cached(text: string, start: number, end: number): number {
    const slot = this.#words.find(text, start, end);
    return slot >= 0 ? this.#words.value(slot) : this.#learn(text, start, end);
  }

  #learn(text: string, start: number, end: number): number {
    const symbols = this.#symbols;
    const count = this.#encodeWord(text, start, end, symbols);
    this.#makeRoom(count);
    const value = (this.#numIds << countBits) | count;
    for (let i = 0; i < count; i++) this.#ids[this.#numIds++] = symbols[i]!;
    this.#words.add(text, start, end, value);
    return value;
  }

  #makeRoom(count: number): void {
    const words = this.#words;
    const isFull = words.size >= maxCachedWords || words.numCharacters >= maxCachedCharacters;
    if (isFull || this.#numIds + count > maxCachedIds) {
      // starting over costs less bookkeeping than choosing whom to forget, and frequent words are back at once
      words.clear();
      this.#numIds = 0;
    }
    if (this.#numIds + count > this.#ids.length) {
      const ids = new Int32Array(this.#ids.length * 2);
      ids.set(this.#ids);
      this.#ids = ids;
    }
  }
}
