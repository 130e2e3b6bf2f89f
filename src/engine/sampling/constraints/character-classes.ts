/** @file Classes of characters that regular expressions name, as JavaScript defines them. */

import { type CodePointRange, complement } from "./expression.js";

export const lineEnds: readonly CodePointRange[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

const digits: readonly CodePointRange[] = [[0x30, 0x39]];
const wordCharacters: readonly CodePointRange[] = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const spaces: readonly CodePointRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** `\d` and the like, by letter. */
export const classEscapes: Readonly<Record<string, readonly CodePointRange[]>> = {
  d: digits,
  D: complement(digits),
  w: wordCharacters,
  W: complement(wordCharacters),
  s: spaces,
  S: complement(spaces),
};

/** `\n` and the like, by letter. */
export const controlEscapes: Readonly<Record<string, readonly CodePointRange[]>> = Object.fromEntries(
  Object.entries({ t: 9, n: 10, v: 11, f: 12, r: 13, "0": 0 }).map(([name, code]) => [name, [[code, code]]]),
);

/** Characters of a Unicode property such as `\p{Lu}`; undefined where JavaScript knows no such property. */
export function propertyRanges(source: string): CodePointRange[] | undefined {
  const pattern = propertyPattern(source);
  if (pattern === undefined) return undefined;
  const ranges: [number, number][] = [];
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
    if (!pattern.test(String.fromCodePoint(codePoint))) continue;
    const last = ranges.at(-1);
    if (last?.[1] === codePoint - 1) last[1] = codePoint;
    else ranges.push([codePoint, codePoint]);
  }
  return ranges;
}

function propertyPattern(source: string): RegExp | undefined {
  try {
    return new RegExp(source, "u");
  } catch {
    return undefined;
  }
}
