/** @file Lines of a paragraph as one text: words that a line's end parted are whole again. */

/** Scripts that put no space between words, so that a line's end is none either. */
const NO_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;
const HYPHENATED = /\p{L}[-\u2010]$/u;

/** What decides whether a hyphen at a line's end belongs to the word. */
export interface Vocabulary {
  /** Whether the word stands somewhere with its hyphen, inside a line. */
  has(word: string): boolean;
}

/** Words with hyphens that stand inside lines, in lower case. */
export function hyphenatedWords(lines: Iterable<string>): Set<string> {
  const words = new Set<string>();
  for (const line of lines) {
    for (const [word] of line.matchAll(/\p{L}+(?:[-\u2010]\p{L}+)+/gu)) words.add(word.toLowerCase());
  }
  return words;
}

/** Adds a line to what came before it. */
export function joinLines(before: string, line: string, known: Vocabulary): string {
  if (before === "") return line;
  if (HYPHENATED.test(before) && /^\p{Ll}/u.test(line)) {
    const left = /[\p{L}\u2010-]+$/u.exec(before)![0];
    const right = /^[\p{L}\u2010-]+/u.exec(line)![0];
    const isOwn = known.has((left + right).toLowerCase()) || /[-\u2010]./u.test(left);
    return (isOwn ? before : before.slice(0, -1)) + line;
  }
  const isTight = NO_SPACES.test(before.at(-1)!) && NO_SPACES.test(line[0]!);
  return before + (isTight || /[-\u2010/]$/.test(before) ? "" : " ") + line;
}

/** Whether a text that ends so goes on in the next column or page, which begins with `next`. */
export function goesOn(before: string, next: string): boolean {
  if (/[.!?:;。！？：；…”"')\]）]$/u.test(before)) return false;
  return /^[\p{Ll}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}(（]/u.test(next);
}
