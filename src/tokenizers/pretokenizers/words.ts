/** @file Cuts a text before each run of a space mark, which stays with the word that follows. */

import type { Pretokenizer } from "./pretokenizer.js";

/**
 * SentencePiece's words, for vocabularies in which no token goes on after a word's end.
 * @param space one code unit: a space, or the mark that stands for it.
 */
export function markedWords(space: string): Pretokenizer {
  const mark = space.charCodeAt(0);
  return {
    scan(text, start, end, visit) {
      let from = start;
      for (let at = start + 1; at < end; at++) {
        if (text.charCodeAt(at) !== mark || text.charCodeAt(at - 1) === mark) continue;
        if (!visit(from, at)) return false;
        from = at;
      }
      return from === end || visit(from, end);
    },
    cutEffect(text, index) {
      return text.charCodeAt(index) === mark && text.charCodeAt(index - 1) !== mark ? "none" : "halves";
    },
  };
}

/** Cuts before every space mark (`Metaspace`). */
export function beforeEachMark(space: string): Pretokenizer {
  const mark = space.charCodeAt(0);
  return {
    scan(text, start, end, visit) {
      let from = start;
      for (let at = start + 1; at < end; at++) {
        if (text.charCodeAt(at) !== mark) continue;
        if (!visit(from, at)) return false;
        from = at;
      }
      return from === end || visit(from, end);
    },
    cutEffect: (text, index) => (text.charCodeAt(index) === mark ? "none" : "halves"),
  };
}
