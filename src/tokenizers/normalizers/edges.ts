/** @file Changes at the edges of a text: white space taken away, a prefix put in front. */

import type { EditSink, FirstStretch, TextChange } from "../text-change.js";

/**
 * Removes characters on either side (`Strip`).
 * @param stripped matches one code unit; white space by default.
 */
export function strip(left: boolean, right: boolean, stripped = /\p{White_Space}/u): TextChange {
  const kept = (text: string): readonly [start: number, end: number] => {
    let [start, end] = [0, text.length];
    while (left && start < end && stripped.test(text.charAt(start))) start++;
    while (right && end > start && stripped.test(text.charAt(end - 1))) end--;
    return [start, end];
  };
  return {
    apply: (text) => text.slice(...kept(text)),
    edit(text: string, _isFirst: boolean, edits: EditSink) {
      const [start, end] = kept(text);
      if (start > 0) edits.replace(0, start, "");
      edits.keep(start, end);
      if (end < text.length) edits.replace(end, text.length, "");
    },
    // what is cut off at the edge of a part stands inside the whole
    seam: (text, index) => (stripped.test(pairAt(text, index)) ? undefined : pairAt(text, index)),
  };
}

export interface PrefixOptions {
  /** Not where the text begins with it already. Default false. */
  readonly onlyWhereMissing?: boolean;
  /** Only before such stretches; absent before all. */
  readonly first?: FirstStretch;
}

/** Puts `prefix` before a text that is not empty. */
export function prefixed(prefix: string, { onlyWhereMissing = false, first }: PrefixOptions = {}): TextChange {
  const isPut = (text: string, isFirst: boolean): boolean =>
    text !== "" && (isFirst || first === undefined) && !(onlyWhereMissing && text.startsWith(prefix));
  return {
    ...(first === undefined ? {} : { first }),
    apply: (text, isFirst) => (isPut(text, isFirst) ? prefix + text : text),
    edit(text: string, isFirst: boolean, edits: EditSink) {
      if (isPut(text, isFirst)) edits.replace(0, 0, prefix);
      edits.keep(0, text.length);
    },
    seam(text, index, goesOn = false) {
      const isPlain = goesOn && first !== undefined;
      return isPlain || (onlyWhereMissing && text.startsWith(prefix, index)) ? pairAt(text, index) : undefined;
    },
  };
}

function pairAt(text: string, index: number): string {
  return text.slice(index - 1, index + 1);
}
