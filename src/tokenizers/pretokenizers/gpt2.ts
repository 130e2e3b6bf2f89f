/** @file GPT-2's pre-tokenizer, scanned by hand: several times faster than the regular expression that defines it. */

import { type CharClasses, letter, space } from "./char-classes.js";
import type { CutEffect, PieceVisitor, Pretokenizer } from "./pretokenizer.js";

/** What the scanner computes, as published with GPT-2 (Radford et al. 2019, encoder.py). */
export const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const apostrophe = 0x27;
const blank = 0x20;

export class Gpt2Pretokenizer implements Pretokenizer {
  readonly #classes: CharClasses;

  constructor(classes: CharClasses) {
    this.#classes = classes;
  }

  scan(text: string, start: number, end: number, visit: PieceVisitor): boolean {
    const classes = this.#classes;
    for (let at = start; at < end; ) {
      const next = pieceEnd(text, at, end, classes);
      if (!visit(at, next)) return false;
      at = next;
    }
    return true;
  }

  /** All but a space ends its piece before a character of another class, and an apostrophe may begin a contraction. */
  cutEffect(text: string, index: number): CutEffect {
    const before = this.#classes.at(text, index - 1, index);
    const after = this.#classes.at(text, index, index + 1);
    const mayContract = text.charCodeAt(index - 1) === apostrophe && after === letter;
    return before !== space && before !== after && !mayContract ? "none" : "unknown";
  }
}

function pieceEnd(text: string, at: number, end: number, classes: CharClasses): number {
  const unit = text.charCodeAt(at);
  if (unit === apostrophe) {
    const length = contractionLength(text, at, end);
    if (length > 0) return at + length;
  }
  const first = unit === blank && at + 1 < end ? at + 1 : at;
  const kind = classes.at(text, first, end);
  const stop = classes.runEnd(text, first, end, kind);
  return kind === space ? spacesEnd(at, stop, end) : stop;
}

/** `\s+(?!\S)|\s+` on the run of spaces `[at, stop)`: before a word the last space is left to it, unless it is the only one. */
export function spacesEnd(at: number, stop: number, end: number): number {
  return stop === end || stop === at + 1 ? stop : stop - 1;
}

/** Length of `'s|'t|'re|'ve|'m|'ll|'d` at the apostrophe `at`; 0 where none follows. */
function contractionLength(text: string, at: number, end: number): number {
  const pair = text.slice(at + 1, Math.min(at + 3, end));
  if (pair === "re" || pair === "ve" || pair === "ll") return 3;
  const first = pair[0];
  return first === "s" || first === "t" || first === "m" || first === "d" ? 2 : 0;
}
