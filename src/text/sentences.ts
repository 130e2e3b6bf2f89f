/** @file The sentences of a text as spans: English, Chinese, and other scripts with a mark for the end. */

import { ConfigError } from "../base/errors.js";
import { isSpace, NEWLINE, skipSpace, trimEnd } from "./characters.js";
import { isSentenceMark, sentenceEnd } from "./sentence-end.js";
import type { Span } from "./span.js";

export interface SentenceOptions {
  /** Words with a period that end no sentence, besides the known ones: `["Abb.", "bzw"]`. Case and the last period do not matter. */
  readonly abbreviations?: readonly string[];
  /**
   * Further characters that end a sentence, with or without white space after them, such as `；` or `…`. Default none: in
   * Chinese `；` divides a sentence (GB/T 15834), and `…` ends one only before white space that no small letter follows.
   */
  readonly marks?: string;
  /** Which line breaks end a sentence that has no mark: a `blank` line (default, for text wrapped at some width) or `every` one. */
  readonly lineBreaks?: "blank" | "every";
}

/**
 * The sentences of a text in order, without the white space around them; together they hold all other characters.
 *
 * A sentence ends at `. ! ? …` before white space, at `。！？` and at marks of other scripts, with the quotes and brackets that
 * close there. It does not end at abbreviations (Mr., e.g., U.S., unless a word follows that begins sentences), initials,
 * decimals, list numbers, inside of URLs, before a small letter, in a title 《…？》 or a bracket that opened in it, or where a
 * quotation goes on (“好！”，他说; "Stop!" John shouted). Time: in proportion to the text.
 * @throws ConfigError if an abbreviation or mark is empty or white space.
 */
export function* sentences(
  text: string,
  { abbreviations = [], marks = "", lineBreaks = "blank" }: SentenceOptions = {},
): Generator<Span> {
  const rules = { abbreviations: new Set(abbreviations.map(plainAbbreviation)), marks };
  if (/\s/.test(marks))
    throw new ConfigError("sentences: marks hold white space; to end sentences at lines set lineBreaks");
  let start = skipSpace(text, 0, text.length);
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let end = -1;
    if (code === NEWLINE) end = lineBreaks === "every" ? i + 1 : blankLineEnd(text, i);
    else if (isSentenceMark(code, marks)) {
      end = sentenceEnd(text, i, start, text.length, rules);
      // the marks that follow belong to this one, and asking each would take quadratic time
      while (end < 0 && isSentenceMark(text.charCodeAt(i + 1), marks)) i++;
    }
    if (end < 0) continue;
    yield { start, end: trimEnd(text, start, end) };
    start = skipSpace(text, end, text.length);
    i = start - 1;
  }
  if (start < text.length) yield { start, end: trimEnd(text, start, text.length) };
}

function plainAbbreviation(abbreviation: string): string {
  const plain = abbreviation.trim().toLowerCase().replace(/\.$/, "");
  if (plain === "" || /\s/.test(plain)) {
    throw new ConfigError(
      `sentences: "${abbreviation}" is no abbreviation; expected one word, with or without its period`,
    );
  }
  return plain;
}

/** Index after the blank line that follows the line break at `at`, or -1 if the next line holds text. */
function blankLineEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length && isSpace(text.charCodeAt(i)); i++) {
    if (text.charCodeAt(i) === NEWLINE) return i + 1;
  }
  return -1;
}
