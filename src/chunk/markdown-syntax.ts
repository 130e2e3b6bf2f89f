/** @file What single Markdown lines are, by their first characters. CommonMark 0.31 section numbers beside each. */
import { isDigit, isSpace, NEWLINE, skipSpace } from "../text/characters.js";
import type { Heading } from "./headings.js";
import { lineEnd, skipIndent } from "./lines.js";

const TAB = 9;
const HASH = 35;
const CLOSE = 41;
const STAR = 42;
const PLUS = 43;
const DASH = 45;
const DOT = 46;
const COLON = 58;
const EQUALS = 61;
const GREATER = 62;
const UNDERSCORE = 95;
const BAR = 124;

/** Width of the white space in `[at, first)` in columns; a tab reaches to the next multiple of four. */
export function columns(text: string, at: number, first: number): number {
  let column = 0;
  for (let i = at; i < first; i++) column += text.charCodeAt(i) === TAB ? 4 - (column % 4) : 1;
  return column;
}

/** Level of the ATX heading (4.2) that the line whose text begins at `first` is, or 0. */
export function atxLevel(text: string, first: number, to: number): number {
  let i = first;
  while (i < to && text.charCodeAt(i) === HASH) i++;
  const level = i - first;
  return level >= 1 && level <= 6 && (i >= to || isSpace(text.charCodeAt(i))) ? level : 0;
}

/** Level that the line below the one ending at `end` gives it as an underline (4.3), or 0. */
export function underlineLevel(text: string, end: number, to: number): number {
  if (end >= to) return 0;
  const first = skipIndent(text, end + 1, to);
  const code = text.charCodeAt(first);
  if (first - end > 4 || (code !== EQUALS && code !== DASH)) return 0;
  let i = first;
  while (i < to && text.charCodeAt(i) === code) i++;
  if (skipIndent(text, i, to) !== lineEnd(text, i, to)) return 0;
  return code === EQUALS ? 1 : 2;
}

/** Whether the line is a thematic break (4.1): three or more of one mark and nothing else. */
export function isThematicBreak(text: string, first: number, to: number): boolean {
  const mark = text.charCodeAt(first);
  if (mark !== DASH && mark !== STAR && mark !== UNDERSCORE) return false;
  let count = 0;
  for (let i = first; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === NEWLINE) break;
    if (code === mark) count++;
    else if (!isSpace(code)) return false;
  }
  return count >= 3;
}

/** The marker that opens a list item (5.2). */
export interface ListMarker {
  /** Index of the item's text. */
  readonly content: number;
  /** Columns from the marker to the item's text. */
  readonly width: number;
  /** Whether it may follow a paragraph without a blank line: bullets, and numbers that begin at 1. */
  readonly mayInterrupt: boolean;
}

/** The list marker at `first`, or undefined. */
export function listMarker(text: string, first: number, to: number): ListMarker | undefined {
  const code = text.charCodeAt(first);
  let end = first + 1;
  if (isDigit(code)) {
    while (end < to && end - first < 9 && isDigit(text.charCodeAt(end))) end++;
    const delimiter = text.charCodeAt(end++);
    if (delimiter !== DOT && delimiter !== CLOSE) return undefined;
  } else if (code !== DASH && code !== STAR && code !== PLUS) return undefined;
  if (end < to && !isSpace(text.charCodeAt(end))) return undefined;
  const content = skipIndent(text, end, to);
  const spaces = columns(text, end, content);
  // five or more spaces are one space and indented code
  const width = end - first + (spaces >= 1 && spaces <= 4 ? spaces : 1);
  const mayInterrupt = !isDigit(code) || (end - first === 2 && code === 49);
  return { content, width, mayInterrupt };
}

/** Index of the text after the quote signs (5.1) at `first`. */
export function quoteContent(text: string, first: number, to: number): number {
  let i = first;
  while (i < to && (text.charCodeAt(i) === GREATER || text.charCodeAt(i) === 32)) i++;
  return i;
}

/** Whether the line at `first` heads a table (GFM 4.10): it holds a bar, and the next line only bars, dashes and colons. */
export function isTableHead(text: string, first: number, end: number, to: number): boolean {
  if (end >= to || text.slice(first, end).indexOf("|") < 0) return false;
  let dashes = 0;
  for (let i = skipSpace(text, end + 1, to); i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === NEWLINE) break;
    if (code === DASH) dashes++;
    else if (code !== BAR && code !== COLON && !isSpace(code)) return false;
  }
  return dashes > 0;
}

/** The heading that a line of HTML is (`<h1 align="center">Title</h1>`), or undefined. */
export function htmlHeading(line: string): Heading | undefined {
  const [, level, title] = /^<h([1-6])(?:\s[^>]*)?>(.*)<\/h\1>\s*$/i.exec(line) ?? [];
  return level === undefined ? undefined : { level: Number(level), title: (title ?? "").replace(/<[^>]*>/g, "") };
}
