/** @file Where sentences end, in English, Chinese and other scripts with a mark for it. Rules, no model: same answer everywhere. */

import { isDigit, isIdeographic, isSpace, NEWLINE, skipSpace, trimEnd } from "./characters.js";
import type { Span } from "./chunk.js";

const PERIOD = 46;
/** How far past a mark the next word is looked for. Beyond it the sentence has ended, whatever follows. */
const MAX_GAP = 64;
const LONGEST_ABBREVIATION = 6;
/** A shorter word before a lower-case one is rather an abbreviation that no list has. */
const SHORTEST_LAST_WORD = 4;

/** Words whose period ends no sentence: a name or an example follows. */
const ABBREVIATIONS = new Set(
  "dr mr mrs ms prof sr jr st mt messrs hon rev gen col capt lt sgt gov sen rep vs cf viz eg ie al approx resp incl corp dept univ misc".split(
    " ",
  ),
);
/** Words whose period ends no sentence when a number follows. */
const BEFORE_NUMBER = new Set(
  "no nos fig figs eq eqs sec secs ch vol vols p pp art ver v ex tab ref refs jan feb mar apr jun jul aug sep sept oct nov dec".split(
    " ",
  ),
);

/** `。！？｡．` end a sentence without white space after them. */
const WIDE_MARKS = [0x3002, 0xff01, 0xff1f, 0xff61, 0xff0e];
/** Code units that may end a sentence; `sentenceEnd` decides. Latin, Arabic, Urdu and Devanagari need white space after. */
export const SENTENCE_MARKS = [PERIOD, 33, 63, 0x61f, 0x6d4, 0x964, 0x965, ...WIDE_MARKS];

function isSentenceMark(code: number): boolean {
  return code < 64 ? code === PERIOD || code === 33 || code === 63 : code >= 0x61f && SENTENCE_MARKS.includes(code);
}

/** Quotes, brackets and Markdown emphasis that close together with a sentence: `"')]}*_` and wide ones. */
function isCloser(code: number): boolean {
  if (code < 128)
    return code === 34 || code === 39 || code === 41 || code === 93 || code === 125 || code === 42 || code === 95;
  if (code < 0x3000) return code === 0xbb || code === 0x2019 || code === 0x201d;
  return code <= 0x3011 ? code === 0x300b || code === 0x300d || code === 0x300f || code === 0x3011 : code === 0xff09;
}

/**
 * Index after the sentence that the mark at `at` ends, its closing quotes and brackets included, or -1 when it ends
 * none (abbreviation, initial, decimal point, a lower-case word next). Reads `[from, to)` only; `from` is the sentence's start.
 */
export function sentenceEnd(text: string, at: number, from: number, to: number): number {
  let marks = at + 1;
  while (marks < to && isSentenceMark(text.charCodeAt(marks))) marks++;
  const isWide = WIDE_MARKS.includes(text.charCodeAt(at)) || WIDE_MARKS.includes(text.charCodeAt(marks - 1));
  let end = marks;
  while (end < to && isCloser(text.charCodeAt(end))) end++;
  if (isWide || end >= to) return end;
  if (!isSpace(text.charCodeAt(end))) return -1;
  const next = skipSpace(text, end, Math.min(to, end + MAX_GAP));
  const isLowerNext = next < to && isLowerCase(text, next);
  const isLonePeriod = marks === at + 1 && text.charCodeAt(at) === PERIOD;
  if (!isLonePeriod) return isLowerNext ? -1 : end;
  return endsWord(text, at, from, text.charCodeAt(next), isLowerNext) ? end : -1;
}

function isLowerCase(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 128) return code >= 97 && code <= 122;
  return !isIdeographic(code) && /^\p{Ll}/u.test(text.slice(at, at + 2));
}

/**
 * Whether the word before the period at `at` lets it end a sentence: no abbreviation, initial, or number that opens the
 * sentence. Text in lower case only has sentences too, so before a lower-case word a long enough word is taken for one.
 */
function endsWord(text: string, at: number, from: number, next: number, isLowerNext: boolean): boolean {
  let start = at;
  while (start > from && isWordCharacter(text.charCodeAt(start - 1))) {
    if (at - --start > LONGEST_ABBREVIATION) return true;
  }
  const first = text.charCodeAt(start);
  const length = at - start;
  if (isDigit(first)) return start > from || !/^\d+$/.test(text.slice(start, at));
  if (length === 1 || (isLowerNext && length < SHORTEST_LAST_WORD)) return false;
  const word = text.slice(start, at).toLowerCase();
  return !ABBREVIATIONS.has(word) && !(isDigit(next) && BEFORE_NUMBER.has(word));
}

function isWordCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || isDigit(code);
}

/** The sentences of a text without the white space around them. A blank line ends a sentence that has no mark. */
export function* sentences(text: string): Generator<Span> {
  let start = skipSpace(text, 0, text.length);
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const end =
      code === NEWLINE ? blankLineEnd(text, i) : isSentenceMark(code) ? sentenceEnd(text, i, start, text.length) : -1;
    if (end < 0) continue;
    yield { start, end: trimEnd(text, start, end) };
    start = skipSpace(text, end, text.length);
    i = start - 1;
  }
  if (start < text.length) yield { start, end: trimEnd(text, start, text.length) };
}

/** Index after the blank line that follows the line break at `at`, or -1 if the next line holds text. */
function blankLineEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length && isSpace(text.charCodeAt(i)); i++) {
    if (text.charCodeAt(i) === NEWLINE) return i + 1;
  }
  return -1;
}
