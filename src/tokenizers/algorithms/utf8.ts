/** @file From UTF-16 code units to code points and UTF-8 bytes, without allocation. */

/** What an unpaired surrogate is read as. */
export const replacementCharacter = 0xfffd;

/** Code point of the character at `index`, of which only code units before `end` are seen; U+FFFD for a lone surrogate. */
export function codePointAt(text: string, index: number, end: number): number {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || index + 1 >= end) return replacementCharacter;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff ? ((unit - 0xd800) << 10) + next - 0xdc00 + 0x10000 : replacementCharacter;
}

/** Number of UTF-16 code units of a code point. */
export function utf16Width(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}

/** Number of UTF-8 bytes of a code point. */
export function utf8Width(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** Byte `index` of the `width` UTF-8 bytes of a code point. */
export function utf8Byte(codePoint: number, index: number, width: number): number {
  if (width === 1) return codePoint;
  const bits = (codePoint >> (6 * (width - 1 - index))) & (index === 0 ? 0xff : 0x3f);
  return index === 0 ? bits | ((0xf00 >> width) & 0xff) : bits | 0x80;
}
