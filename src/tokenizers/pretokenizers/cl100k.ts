/** @file The pre-tokenizer of cl100k, Llama 3 and Qwen 2, scanned by hand. */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { type CharClasses, letter, number, other, space } from "./char-classes.js";
import { spacesEnd } from "./gpt2.js";
import type { CutEffect, PieceVisitor, Pretokenizer } from "./pretokenizer.js";

/** What the scanner computes, by the number of digits that a piece may hold: 3 in cl100k and Llama 3, 1 in Qwen 2. */
export function cl100kPattern(maxDigits: 1 | 3): string {
  const digits = maxDigits === 1 ? "\\p{N}" : "\\p{N}{1,3}";
  return `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
}

const apostrophe = 0x27;
const blank = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class Cl100kPretokenizer implements Pretokenizer {
  readonly #classes: CharClasses;
  readonly #maxDigits: 1 | 3;

  constructor(classes: CharClasses, maxDigits: 1 | 3) {
    this.#classes = classes;
    this.#maxDigits = maxDigits;
  }

  scan(text: string, start: number, end: number, visit: PieceVisitor): boolean {
    for (let at = start; at < end; ) {
      const next = this.#pieceEnd(text, at, end);
      if (!visit(at, next)) return false;
      at = next;
    }
    return true;
  }

  /** Punctuation goes with the letter or line break after it; else all but a space ends where its class does. */
  cutEffect(text: string, index: number): CutEffect {
    const before = this.#classes.at(text, index - 1, index);
    const after = this.#classes.at(text, index, index + 1);
    const mayJoin = before === other && (after === letter || isNewline(text.charCodeAt(index)));
    return before !== space && before !== after && !mayJoin ? "none" : "unknown";
  }

  /** The alternatives of the pattern, but for contractions: a run of one class, with the character before or after it. */
  #pieceEnd(text: string, at: number, end: number): number {
    const unit = text.charCodeAt(at);
    if (unit === apostrophe) {
      const length = contractionLength(text, at, end);
      if (length > 0) return at + length;
    }
    let kind = this.#classes.at(text, at, end);
    if (kind === number) return this.#digitsEnd(text, at, end);
    let start = at;
    if (kind !== letter) {
      const after = at + utf16Width(codePointAt(text, at, end));
      const afterKind = after < end ? this.#classes.at(text, after, end) : kind;
      if (afterKind === letter ? !isNewline(unit) : unit === blank && afterKind === other) {
        start = after;
        kind = afterKind;
      }
    }
    const stop = this.#classes.runEnd(text, start, end, kind);
    if (kind === letter) return stop;
    return kind === other ? newlinesEnd(text, stop, end) : lastNewlineEnd(text, at, stop) || spacesEnd(at, stop, end);
  }

  #digitsEnd(text: string, start: number, end: number): number {
    let at = start;
    for (let digits = 0; digits < this.#maxDigits && at < end; digits++) {
      if (this.#classes.at(text, at, end) !== number) break;
      at += utf16Width(codePointAt(text, at, end));
    }
    return at;
  }
}

function isNewline(unit: number): boolean {
  return unit === lineFeed || unit === carriageReturn;
}

/** Where the last line break of the white space `[start, end)` ends; 0 where there is none. */
function lastNewlineEnd(text: string, start: number, end: number): number {
  for (let i = end; i > start; i--) if (isNewline(text.charCodeAt(i - 1))) return i;
  return 0;
}

function newlinesEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isNewline(text.charCodeAt(at))) at++;
  return at;
}

/** Length of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at the apostrophe `at`; 0 where none follows. The long s (ſ) is an s, too. */
function contractionLength(text: string, at: number, end: number): number {
  const pair = text.slice(at + 1, Math.min(at + 3, end));
  return /^(?:re|ve|ll)/i.test(pair) ? 3 : /^[stmdſ]/i.test(pair) ? 2 : 0;
}
