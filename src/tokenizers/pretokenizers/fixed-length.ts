/** @file Cuts a text into pieces of so many characters (`FixedLength`). */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import type { Pretokenizer } from "./pretokenizer.js";

/** @param length characters (code points) per piece, 1 or more; the last piece may be shorter. */
export function fixedLength(length: number): Pretokenizer {
  return {
    scan(text, start, end, visit) {
      for (let from = start; from < end; ) {
        let at = from;
        for (let i = 0; i < length && at < end; i++) at += utf16Width(codePointAt(text, at, end));
        if (!visit(from, at)) return false;
        from = at;
      }
      return true;
    },
    cutEffect: () => "unknown",
  };
}
