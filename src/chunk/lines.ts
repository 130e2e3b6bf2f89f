/** @file What a format tells about each line of a text, so that one scanner cuts all formats. */
import { isSpace, NEWLINE } from "../text/characters.js";
import type { Heading } from "./headings.js";

/** A line that is not blank. Indices are into the text that was read. */
export interface Line {
  /** Where a chunk that opens with this line begins: indentation belongs to code and nested items, not to prose. */
  readonly start: number;
  /** Where sentences are looked for: after a list marker or quote sign. */
  readonly content: number;
  /** Strength of the boundary in front of the line. */
  readonly strength: number;
  /** Whether sentences end inside it. */
  readonly isProse: boolean;
  readonly heading: Heading | undefined;
}

/** Reads a text line by line; what it knows of the lines before decides what a line is. */
export interface LineReader {
  /** Code units that must be readable after `at` for `read` to answer, given the first few of them. */
  lookahead(text: string, at: number): number;
  /** Reads the line at `at`, looking no further than `to`; undefined if it is blank that far. */
  read(text: string, at: number, to: number): Line | undefined;
}

/** Code units that any decision about a line or a unit may look at. */
export const LOOKAHEAD = 2048;

/** End of the line at `at`, without its line break, or `to`. */
export function lineEnd(text: string, at: number, to: number): number {
  // searching the slice stops at its end; searching the text would read a line without end anew for each of its parts
  const length = text.slice(at, to).indexOf("\n");
  return length < 0 ? to : at + length;
}

/** First index at or after `at` that is not white space, or the line's end, or `to`. */
export function skipIndent(text: string, at: number, to: number): number {
  let i = at;
  for (; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === NEWLINE || !isSpace(code)) break;
  }
  return i;
}
