/** @file Lower case, the same in every locale. */

import type { Edit, TextStep } from "../step.js";

/**
 * Lower case by Unicode's default mapping, as `toLowerCase` gives it: a sigma that ends a word becomes ς, `İ` becomes
 * `i` and a dot above, whatever the locale.
 */
export function lowercase(): TextStep {
  return { name: "lowercase", edits };
}

function* edits(text: string): Generator<Edit> {
  // only the whole text shows which sigma ends a word; lengths do not depend on what stands around
  const lowered = text.toLowerCase();
  if (lowered === text) return;
  let start = 0;
  let at = 0;
  for (const character of text) {
    const end = start + character.length;
    const length = character.toLowerCase().length;
    const content = lowered.slice(at, at + length);
    if (content !== character) yield { start, end, content };
    start = end;
    at += length;
  }
}
