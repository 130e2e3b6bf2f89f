/** @file Cuts numbers out of a text: each digit for itself, or each run of digits. */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { type CharClasses, number } from "./char-classes.js";
import type { CutEffect, PieceVisitor, Pretokenizer } from "./pretokenizer.js";

export class DigitsPretokenizer implements Pretokenizer {
  readonly #classes: CharClasses;
  readonly #individually: boolean;

  constructor(classes: CharClasses, individually: boolean) {
    this.#classes = classes;
    this.#individually = individually;
  }

  scan(text: string, start: number, end: number, visit: PieceVisitor): boolean {
    const classes = this.#classes;
    for (let at = start; at < end; ) {
      let next: number;
      if (classes.at(text, at, end) !== number) next = this.#textEnd(text, at, end);
      else if (this.#individually) next = at + utf16Width(codePointAt(text, at, end));
      else next = classes.runEnd(text, at, end, number);
      if (!visit(at, next)) return false;
      at = next;
    }
    return true;
  }

  cutEffect(text: string, index: number): CutEffect {
    const isAfterNumber = this.#classes.at(text, index - 1, index) === number;
    const isBeforeNumber = this.#classes.at(text, index, index + 1) === number;
    return isAfterNumber !== isBeforeNumber || (isAfterNumber && this.#individually) ? "none" : "halves";
  }

  /** Where the next number, or the text, begins after the text at `start`. */
  #textEnd(text: string, start: number, end: number): number {
    for (let at = start; at < end; ) {
      const kind = this.#classes.at(text, at, end);
      if (kind === number) return at;
      at = this.#classes.runEnd(text, at, end, kind);
    }
    return end;
  }
}
