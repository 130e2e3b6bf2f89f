/** @file What becomes of characters that a vocabulary lacks. */

import type { IntList } from "./int-list.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "./utf8.js";

export interface UnknownRule {
  /** The token for what is unknown; without one it is left out. */
  readonly unkId?: number | undefined;
  /** Unknown characters in a row are one token. */
  readonly fuses: boolean;
  /** Ids of the 256 bytes, -1 where there is none: characters whose bytes are all there become them. */
  readonly byteIds?: Int32Array | undefined;
}

/** Appends the byte tokens of `text[start, end)` to `ids`, or nothing when one is missing. Returns how many. */
export function pushBytes(
  text: string,
  start: number,
  end: number,
  byteIds: Int32Array | undefined,
  ids: IntList,
): number {
  if (byteIds === undefined) return 0;
  const first = ids.length;
  for (let at = start; at < end; ) {
    const codePoint = codePointAt(text, at, end);
    const width = utf8Width(codePoint);
    for (let k = 0; k < width; k++) {
      const id = byteIds[utf8Byte(codePoint, k, width)]!;
      if (id < 0) {
        ids.length = first;
        return 0;
      }
      ids.push(id);
    }
    at += utf16Width(codePoint);
  }
  return ids.length - first;
}
