/** @file Changes that map each character for itself: case, accents, control characters. */

import { characterSeam, type EditSink, type TextChange } from "../text-change.js";
import { marks } from "./marks.js";

/** A change from what it makes of a text as a whole, which must be what it makes of the characters one by one. */
function byCharacter(apply: (text: string) => string): TextChange {
  const change: TextChange = {
    apply,
    edit(text: string, _isFirst: boolean, edits: EditSink) {
      let at = 0;
      for (const character of text) {
        const end = at + character.length;
        const content = apply(character);
        if (content === character) edits.keep(at, end);
        else edits.replace(at, end, content);
        at = end;
      }
    },
    seam: (text, index) => characterSeam(change, text, index),
  };
  return change;
}

/** Sigma at a word's end is lowered like any other, as the library does: it sees no neighbours. */
export function lowercased(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase();
}

/** Lower case (`Lowercase`). */
export const lowercase: TextChange = byCharacter(lowercased);

/** Removes all marks (`StripAccents`); useful after NFD or NFKD. */
export const stripAccents: TextChange = byCharacter((text) => text.replace(marks, ""));

const nmtRemoved = /(?![\0\t\n\f\r\u0080-\u008e\u0090-\u009e])\p{Cc}/gu;
const nmtSpaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

/** Removes control characters and makes spaces of all that look like one (`Nmt`, from SentencePiece's nmt_nfkc). */
export const nmt: TextChange = byCharacter((text) => text.replace(nmtRemoved, "").replace(nmtSpaces, " "));
