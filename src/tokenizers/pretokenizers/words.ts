/** @file Cuts a text before each run of spaces, which stays with the word that follows. */

import type { Pretokenizer } from "./pretokenizer.js";

const blank = 0x20;

/** SentencePiece's words, for vocabularies in which no token goes on after a word's end. */
export const spacedWords: Pretokenizer = {
  scan(text, start, end, visit) {
    let from = start;
    for (let at = start + 1; at < end; at++) {
      if (text.charCodeAt(at) !== blank || text.charCodeAt(at - 1) === blank) continue;
      if (!visit(from, at)) return false;
      from = at;
    }
    return from === end || visit(from, end);
  },
  cutEffect(text, index) {
    return text.charCodeAt(index) === blank && text.charCodeAt(index - 1) !== blank ? "none" : "halves";
  },
};
