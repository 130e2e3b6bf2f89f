/** @file Where a sentence ends: marks, what closes with them, and what only looks like an end. Rules, no model. */

import { beforeNumber, beginsSentence, neverLast, reportsSpeech, seldomLast } from "./abbreviations.js";
import { isDigit, isIdeographic, isSpace, skipSpace } from "./characters.js";

const PERIOD = 46;
/** How far past a mark the next word is looked for. Beyond it the sentence has ended, whatever follows. */
const MAX_GAP = 64;
/** How much of the next words is looked at. */
const MAX_NEXT = 48;
/** How far back a bracket is looked for that closes with a mark. */
const MAX_BRACKET = 256;
const LONGEST_ABBREVIATION = 6;
const LONGEST_LIST_NUMBER = 12;
/** A shorter word before a lower-case one is rather an abbreviation that no list has. */
const SHORTEST_LAST_WORD = 4;

const WIDE_PERIOD = 0xff0e;
/** `。！？｡．` end a sentence without white space after them. */
const WIDE_MARKS = [0x3002, 0xff01, 0xff1f, 0xff61, WIDE_PERIOD];
/** Code units that may end a sentence; `sentenceEnd` decides. Latin, Arabic, Urdu, Devanagari and `…` need white space after. */
export const SENTENCE_MARKS = [PERIOD, 33, 63, 0x61f, 0x6d4, 0x964, 0x965, 0x2026, ...WIDE_MARKS];

/** What a caller adds to the rules. */
export interface SentenceRules {
  /** Words in lower case, without their period, that end no sentence. */
  readonly abbreviations: ReadonlySet<string>;
  /** Characters that end a sentence as `。` does. */
  readonly marks: string;
}

const noMore: SentenceRules = { abbreviations: new Set(), marks: "" };

/** Whether a sentence may end with this code unit. */
export function isSentenceMark(code: number, marks = ""): boolean {
  if (code < 64 ? code === PERIOD || code === 33 || code === 63 : code >= 0x61f && SENTENCE_MARKS.includes(code))
    return true;
  return marks !== "" && marks.includes(String.fromCharCode(code));
}

/** Quotes, brackets and Markdown emphasis that close together with a sentence. */
const CLOSERS = new Set([...`"')]}*_»’”〉》」』】〕）］｝`].map((character) => character.charCodeAt(0)));
/** A bracket, when it closes after a mark, and how it opens. */
const WIDE_BRACKETS: Readonly<Record<string, string>> = { "）": "（", "》": "《", "〉": "〈" };
/** What goes on with a sentence after a quoted one. */
const WIDE_CONTINUATION = /^[，、；：,;:的]/;

/**
 * Index after the sentence that the mark at `at` ends, its closing quotes and brackets included, or -1 when it ends
 * none (abbreviation, initial, decimal point, a lower-case word next). Reads `[from, to)` only; `from` is the sentence's
 * start. No decision looks further than 112 code units past the marks and closers that follow `at`.
 */
export function sentenceEnd(text: string, at: number, from: number, to: number, rules: SentenceRules = noMore): number {
  let marks = at + 1;
  while (marks < to && isSentenceMark(text.charCodeAt(marks), rules.marks)) marks++;
  let end = marks;
  while (end < to && CLOSERS.has(text.charCodeAt(end))) end++;
  if (isWide(text, at, rules.marks) || isWide(text, marks - 1, rules.marks)) {
    return endsWide(text, at, from, marks, end, to) ? end : -1;
  }
  if (end >= to) return end;
  if (!isSpace(text.charCodeAt(end))) {
    const isAmongIdeographs =
      at > from && isIdeographic(text.charCodeAt(at - 1)) && isIdeographic(text.charCodeAt(end));
    return isAmongIdeographs && text.charCodeAt(at) !== 0x2026 && endsWide(text, at, from, marks, end, to) ? end : -1;
  }
  const next = skipSpace(text, end, Math.min(to, end + MAX_GAP));
  const isLowerNext = next < to && isLowerCase(text, next);
  const isLonePeriod = marks === at + 1 && text.charCodeAt(at) === PERIOD;
  const following = text.slice(next, Math.min(to, next + MAX_NEXT));
  if (!isLonePeriod) return isLowerNext || (end > marks && reportsSpeech(following)) ? -1 : end;
  return endsWord(text, at, from, following, isLowerNext, rules.abbreviations) ? end : -1;
}

function isWide(text: string, at: number, marks: string): boolean {
  return WIDE_MARKS.includes(text.charCodeAt(at)) || (marks !== "" && marks.includes(text.charAt(at)));
}

/** Whether marks that need no white space end a sentence: no number, title, bracket inside of it, or quote that it goes on from. */
function endsWide(text: string, at: number, from: number, marks: number, end: number, to: number): boolean {
  const code = text.charCodeAt(at);
  if (code === WIDE_PERIOD && isAnyDigit(text.charCodeAt(at - 1)) && marks < to && isAnyDigit(text.charCodeAt(marks))) {
    return false;
  }
  if ((code === WIDE_PERIOD || code === PERIOD) && isListNumber(text, from, at)) return false;
  if (end >= to) return true;
  if (WIDE_CONTINUATION.test(text.charAt(end))) return false;
  for (let i = marks; i < end; i++) {
    const opener = WIDE_BRACKETS[text.charAt(i)];
    if (opener === undefined) continue;
    const lookFrom = Math.max(from, at - MAX_BRACKET);
    const found = text.slice(lookFrom, at).lastIndexOf(opener);
    if (found < 0) continue;
    const opened = lookFrom + found;
    if (opened > from || opener !== "（") return isSpace(text.charCodeAt(end));
  }
  return true;
}

function isAnyDigit(code: number): boolean {
  return isDigit(code) || (code >= 0xff10 && code <= 0xff19);
}

/** `1`, `2.3`, `(4`, `IV`, `a`, `三`: what numbers a list rather than ends its first sentence. */
function isListNumber(text: string, from: number, at: number): boolean {
  if (at - from > LONGEST_LIST_NUMBER) return false;
  return /^[(（]?(?:[\d０-９]+(?:[.．][\d０-９]+)*|[IVXLC]{1,4}|[A-Za-z]|[一二三四五六七八九十]{1,3})$/.test(
    text.slice(from, at),
  );
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
function endsWord(
  text: string,
  at: number,
  from: number,
  next: string,
  isLowerNext: boolean,
  abbreviations: ReadonlySet<string>,
): boolean {
  if (abbreviations.size > 0 && abbreviations.has(wordBefore(text, at, from))) return false;
  if (isListNumber(text, from, at)) return false;
  let start = at;
  while (start > from && isWordCharacter(text.charCodeAt(start - 1))) {
    if (at - --start > LONGEST_ABBREVIATION) return true;
  }
  if (isDigit(text.charCodeAt(start))) return true;
  const length = at - start;
  if (isLowerNext && length < SHORTEST_LAST_WORD) return false;
  const word = text.slice(start, at).toLowerCase();
  if (neverLast.has(word)) return false;
  if (length === 1) return !isExample(text, at, from) && beginsSentence(next);
  if (seldomLast.has(word)) return beginsSentence(next);
  return !(isDigit(next.charCodeAt(0)) && beforeNumber.has(word));
}

/** `e.g.` and `i.e.` */
function isExample(text: string, at: number, from: number): boolean {
  return /(?:^|[^a-z])(?:e\. ?g|i\. ?e)$/i.test(text.slice(Math.max(from, at - 5), at));
}

/** The word of at most 32 characters that ends at `at`, in lower case; periods inside belong to it. */
function wordBefore(text: string, at: number, from: number): string {
  return /[\p{L}\p{M}\p{N}.]*$/u.exec(text.slice(Math.max(from, at - 32), at))![0].toLowerCase();
}

function isWordCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || isDigit(code);
}
