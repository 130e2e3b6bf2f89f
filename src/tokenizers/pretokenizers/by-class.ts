/** @file Pre-tokenizers that look at the class of each character only: some are dropped, some stand alone, the others form runs. */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { CharClasses } from "./char-classes.js";
import type { CutEffect, PieceVisitor, Pretokenizer } from "./pretokenizer.js";
import { isPunctuation } from "./punctuation.js";

/** Dropped; the pieces around it are apart. */
const dropped = 1;
/** A piece of its own. */
const alone = 2;
/** Characters of one of these classes in a row are a piece. */
const word = 3;
const symbol = 4;

export class ClassPretokenizer implements Pretokenizer {
  readonly #classes: CharClasses;

  constructor(classOf: (character: string) => number) {
    this.#classes = new CharClasses(classOf);
  }

  scan(text: string, start: number, end: number, visit: PieceVisitor): boolean {
    const classes = this.#classes;
    for (let at = start; at < end; ) {
      const kind = classes.at(text, at, end);
      const next = kind === alone ? at + utf16Width(codePointAt(text, at, end)) : classes.runEnd(text, at, end, kind);
      if (kind !== dropped && !visit(at, next)) return false;
      at = next;
    }
    return true;
  }

  cutEffect(text: string, index: number): CutEffect {
    const before = this.#classes.at(text, index - 1, index);
    const after = this.#classes.at(text, index, index + 1);
    return before !== after || before <= alone ? "none" : "halves";
  }
}

const whiteSpace = /\p{White_Space}/u;
/** `\w` of the regular expressions in Rust, in which these pre-tokenizers are written. */
const wordCharacter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Words and runs of symbols, without the white space between (`Whitespace`). */
export function wordsAndSymbols(): Pretokenizer {
  return new ClassPretokenizer((character) =>
    whiteSpace.test(character) ? dropped : wordCharacter.test(character) ? word : symbol,
  );
}

/** What stands between white space (`WhitespaceSplit`). */
export function betweenWhiteSpace(): Pretokenizer {
  return new ClassPretokenizer((character) => (whiteSpace.test(character) ? dropped : word));
}

/** Words and single characters of punctuation (`BertPreTokenizer`). */
export function bertWords(): Pretokenizer {
  return new ClassPretokenizer((character) =>
    whiteSpace.test(character) ? dropped : isPunctuation(character) ? alone : word,
  );
}

/** Each character of punctuation alone (`Punctuation`). */
export function punctuationAlone(): Pretokenizer {
  return new ClassPretokenizer((character) => (isPunctuation(character) ? alone : word));
}

/** What stands between occurrences of one character (`CharDelimiterSplit`). */
export function betweenDelimiters(delimiter: string): Pretokenizer {
  return new ClassPretokenizer((character) => (character === delimiter ? dropped : word));
}
