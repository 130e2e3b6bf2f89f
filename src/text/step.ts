/** @file One step of a normalisation: which stretches of a text it replaces, and by what. */

import type { Span } from "./span.js";

/** A stretch and what it becomes. Never empty itself, so that whatever comes out came from something. */
export interface Edit extends Span {
  readonly content: string;
}

/** A way to change a text. Those of this folder are registered in `steps/index.ts`. */
export interface TextStep {
  readonly name: string;
  /** Edits in the order of the text, not overlapping. What no edit covers stays; no edit need change anything. */
  edits(text: string): Iterable<Edit>;
}

/** One edit for each match of a pattern with the flag g. */
export function* replaceMatches(
  text: string,
  pattern: RegExp,
  contentOf: (match: RegExpExecArray) => string,
): Generator<Edit> {
  for (const match of text.matchAll(pattern)) {
    yield { start: match.index, end: match.index + match[0].length, content: contentOf(match) };
  }
}
