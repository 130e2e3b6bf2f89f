/** @file Lines of a paragraph as one text: words that a line's end parted are whole again. */

/** Scripts that put no space between words, so that a line's end is none either. */
const NO_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;
const HYPHENATED = /\p{L}[-\u2010]$/u;

/** Words of a document, in lower case, as they stand inside of lines; with hyphens, the parts are none. */
export type Vocabulary = ReadonlySet<string>;

export function vocabularyOf(lines: Iterable<string>): Vocabulary {
  const words = new Set<string>();
  let isParted = false;
  for (const line of lines) {
    // what a line's end may have parted tells nothing
    const whole = (isParted ? line.replace(/^[\p{L}\u2010-]+/u, "") : line).replace(/[\p{L}\u2010-]+[-\u2010]$/u, "");
    for (const [word] of whole.matchAll(/\p{L}+(?:[-\u2010]\p{L}+)*/gu)) words.add(word.toLowerCase());
    isParted = HYPHENATED.test(line);
  }
  return words;
}

/** Adds a line to what came before it. */
export function joinLines(before: string, line: string, known: Vocabulary): string {
  if (before === "") return line;
  if (HYPHENATED.test(before) && /^\p{Ll}/u.test(line)) {
    return (keepsHyphen(before, line, known) ? before : before.slice(0, -1)) + line;
  }
  const isOneWord = /[-\u2010/]$|\S[–—]$/.test(before) || isTight(before, line);
  return before + (isOneWord ? "" : " ") + line;
}

/** A hyphen at a line's end is the word's own if the word stands so elsewhere, or has others, or is two known words. */
function keepsHyphen(before: string, line: string, known: Vocabulary): boolean {
  const left = /[\p{L}\u2010-]+$/u.exec(before)![0].toLowerCase();
  const right = /^[\p{L}\u2010-]+/u.exec(line)![0].toLowerCase();
  if (known.has(left + right) || /[-\u2010]./u.test(left)) return true;
  const stem = left.slice(0, -1);
  return !known.has(stem + right) && known.has(stem) && known.has(right);
}

/** Whether no space belongs between two texts: both are of a script without spaces where they meet. */
export function isTight(before: string, after: string): boolean {
  return NO_SPACES.test(before.at(-1)!) && NO_SPACES.test(after[0]!);
}

/** Whether a text that ends so goes on in the next column or page, which begins with `next`. */
export function goesOn(before: string, next: string): boolean {
  if (/[.!?:;。！？：；…”"')\]）]$/u.test(before)) return false;
  return /^[\p{Ll}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}(（]/u.test(next);
}
