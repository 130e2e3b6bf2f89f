/** @file From byte lengths of tokens to the spans of UTF-16 code units that they stand for. */

import type { IntList } from "./int-list.js";
import { codePointAt, utf16Width } from "./utf8.js";

/** Walks over a text in steps of bytes. A span holds every character of which it has a byte. */
export class ByteSpans {
  readonly #text: string;
  readonly #end: number;
  readonly #bytesOf: (codePoint: number) => number;
  /** The character that holds the next byte, its code units, and how many of its bytes are left. */
  #at: number;
  #width = 0;
  #left = 0;

  /** @param bytesOf how many bytes tokens have for a character: its UTF-8, unless the vocabulary lacks some. */
  constructor(text: string, start: number, end: number, bytesOf: (codePoint: number) => number) {
    this.#text = text;
    this.#end = end;
    this.#bytesOf = bytesOf;
    this.#at = start;
  }

  /** Appends start and end of the next `count` bytes; there must be so many. */
  push(count: number, offsets: IntList): void {
    while (this.#left === 0) this.#next();
    offsets.push(this.#at);
    let missing = count;
    while (missing > this.#left) {
      missing -= this.#left;
      this.#next();
    }
    this.#left -= missing;
    offsets.push(this.#at + this.#width);
  }

  #next(): void {
    this.#at += this.#width;
    const codePoint = codePointAt(this.#text, this.#at, this.#end);
    this.#width = utf16Width(codePoint);
    this.#left = this.#bytesOf(codePoint);
  }
}
