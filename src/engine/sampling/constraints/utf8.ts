/** @file Ranges of code points as sequences of byte ranges in UTF-8. */

import type { CodePointRange } from "./expression.js";

/** First and last value of one byte. */
export type ByteRange = readonly [start: number, end: number];

/** Last code points of one, two, three and four bytes. */
const lastOfLength = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** Sequences of byte ranges that together are exactly the code points of `range`, which holds no surrogates. */
export function utf8Sequences([start, end]: CodePointRange): ByteRange[][] {
  const result: ByteRange[][] = [];
  let from = start;
  for (const [index, last] of lastOfLength.entries()) {
    if (from > last) continue;
    const to = Math.min(end, last);
    if (from <= to) split(bytesOf(from, index + 1), bytesOf(to, index + 1), [], result);
    from = last + 1;
  }
  return result;
}

/** Cuts the byte strings from `low` to `high`, equally long, to products of ranges. */
function split(
  low: readonly number[],
  high: readonly number[],
  prefix: readonly ByteRange[],
  out: ByteRange[][],
): void {
  const [[first = 0, ...lowRest], [last = 0, ...highRest]] = [low, high];
  if (lowRest.length === 0) {
    out.push([...prefix, [first, last]]);
    return;
  }
  const least = lowRest.map(() => 0x80);
  const most = lowRest.map(() => 0xbf);
  if (first === last) {
    split(lowRest, highRest, [...prefix, [first, first]], out);
    return;
  }
  const isLowWhole = lowRest.every((byte) => byte === 0x80);
  const isHighWhole = highRest.every((byte) => byte === 0xbf);
  if (!isLowWhole) split(lowRest, most, [...prefix, [first, first]], out);
  const [wholeFirst, wholeLast] = [isLowWhole ? first : first + 1, isHighWhole ? last : last - 1];
  if (wholeFirst <= wholeLast) {
    const rest = least.map((byte, i): ByteRange => [byte, most[i]!]);
    out.push([...prefix, [wholeFirst, wholeLast], ...rest]);
  }
  if (!isHighWhole) split(least, highRest, [...prefix, [last, last]], out);
}

function bytesOf(codePoint: number, length: number): number[] {
  if (length === 1) return [codePoint];
  const continuation = Array.from({ length: length - 1 }, (_, i) => 0x80 | ((codePoint >> (6 * i)) & 0x3f)).reverse();
  const mark = [0, 0, 0xc0, 0xe0, 0xf0][length]!;
  return [mark | (codePoint >> (6 * (length - 1))), ...continuation];
}
