/** @file Classes of UTF-16 code units that cutting text depends on. */

export const NEWLINE = 10;

/** White space as `String.prototype.trim` sees it. */
export function isSpace(code: number): boolean {
  return code <= 32 ? code === 32 || (code >= 9 && code <= 13) : code >= 160 && isWideSpace(code);
}

function isWideSpace(code: number): boolean {
  if (code < 0x2000) return code === 0xa0 || code === 0x1680;
  if (code <= 0x200a) return true;
  return code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000 || code === 0xfeff;
}

/** A character of a script written without spaces (Chinese, Japanese), or its punctuation and full-width forms. */
export function isIdeographic(code: number): boolean {
  if (code < 0x2e80) return false;
  if (code <= 0x9fff) return true;
  return (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff01 && code <= 0xffef) || (code >= 0xd840 && code <= 0xd88f);
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

export function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** First index in `[from, to)` that is not white space, or `to`. */
export function skipSpace(text: string, from: number, to: number): number {
  let i = from;
  while (i < to && isSpace(text.charCodeAt(i))) i++;
  return i;
}

/** End of `[from, to)` without the white space at its end; `from` when there is nothing else. */
export function trimEnd(text: string, from: number, to: number): number {
  let i = to;
  while (i > from && isSpace(text.charCodeAt(i - 1))) i--;
  return i;
}
