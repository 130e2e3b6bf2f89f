/** @file Stretches of a text that Unicode normalisation treats independently of each other. */

import type { Span } from "./span.js";

export type UnicodeForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/** Where everything before the combining marks, and the ideographs, stand for themselves: no form joins them to anything. */
const neverJoins = /^[\0-\u02ff\u4e00-\u9fff\uff01-\uff60]/;
const startsWithMark = /^\p{M}/u;

/**
 * The stretches of a text in its order. The form of the text is the forms of its stretches, one after the other (UAX 15).
 * A stretch begins with a character that is no mark and does not compose with what stands before; both are asked of
 * the runtime's own `normalize`, so that the answer follows its version of Unicode.
 */
export function* stretches(text: string, form: UnicodeForm): Generator<Span> {
  let start = 0;
  let at = 0;
  for (const character of text) {
    if (at > start && !joins(text.slice(start, at), character, form)) {
      yield { start, end: at };
      start = at;
    }
    at += character.length;
  }
  if (at > start) yield { start, end: at };
}

function joins(before: string, character: string, form: UnicodeForm): boolean {
  if (neverJoins.test(character)) return false;
  const normalized = character.normalize(form);
  // some letters become marks in the compatibility forms
  if (startsWithMark.test(normalized)) return true;
  return (before + character).normalize(form) !== before.normalize(form) + normalized;
}
