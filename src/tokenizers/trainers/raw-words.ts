/** @file Where training cuts raw text: what no learned token crosses, though the tokenizer itself will not cut. */

import { CharClasses, letter, number } from "../pretokenizers/char-classes.js";
import type { PieceVisitor, Pretokenizer } from "../pretokenizers/pretokenizer.js";

const blank = 0x20;

export interface RawWordOptions {
  /** A run of spaces begins a word. */
  readonly splitByWhitespace: boolean;
  /** Letters, digits and everything else do not share a word. */
  readonly splitByCategory: boolean;
}

/** Lines and line ends always lie apart. */
export function rawWords({ splitByWhitespace, splitByCategory }: RawWordOptions): Pick<Pretokenizer, "scan"> {
  const classes = new CharClasses();
  return {
    scan(text, start, end, visit) {
      const categoryAt = (at: number): number => {
        const kind = classes.at(text, at, end);
        return kind === letter || kind === number ? kind : 0;
      };
      return scanCuts(start, end, visit, (at) => {
        const before = text.charCodeAt(at - 1);
        const here = text.charCodeAt(at);
        if (isLineEnd(before) !== isLineEnd(here)) return true;
        if (here === blank) return splitByWhitespace && before !== blank;
        if (!splitByCategory || before === blank || isSecondHalf(here) || isMark(text, at)) return false;
        return categoryAt(isSecondHalf(before) ? at - 2 : at - 1) !== categoryAt(at);
      });
    },
  };
}

function scanCuts(start: number, end: number, visit: PieceVisitor, cutsAt: (at: number) => boolean): boolean {
  let from = start;
  for (let at = start + 1; at < end; at++) {
    if (!cutsAt(at)) continue;
    if (!visit(from, at)) return false;
    from = at;
  }
  return from === end || visit(from, end);
}

function isLineEnd(unit: number): boolean {
  return unit === 0x0a || unit === 0x0d;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** A combining mark belongs to the character before it. */
function isMark(text: string, at: number): boolean {
  return text.charCodeAt(at) >= 0x300 && /^\p{M}/u.test(text.slice(at, at + 2));
}
