/** @file Replaces a string or the matches of a regular expression (`Replace`). */

import { characterSeam, type EditSink, type TextChange } from "../text-change.js";

/** Replaces every occurrence of a string, which must not be empty. */
export function replaceString(search: string, content: string): TextChange {
  const change: TextChange = {
    apply: (text) => (text.includes(search) ? text.replaceAll(search, () => content) : text),
    edit(text: string, _isFirst: boolean, edits: EditSink) {
      let last = 0;
      for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, last)) {
        edits.keep(last, at);
        edits.replace(at, at + search.length, content);
        last = at + search.length;
      }
      edits.keep(last, text.length);
    },
    seam(text, index) {
      if (search.length === 1) return characterSeam(change, text, index);
      const pair = text.slice(index - 1, index + 1);
      return search.includes(pair.charAt(0)) || search.includes(pair.charAt(1)) ? undefined : pair;
    },
  };
  return change;
}

/**
 * Replaces every match of a regular expression.
 * @param pattern with the flags g and u, or g and v.
 */
export function replacePattern(pattern: RegExp, content: string): TextChange {
  const isSpaceRun = / \{[12],\}$|^ \+$/.test(pattern.source);
  return {
    apply: (text) => text.replace(pattern, () => content),
    edit(text: string, _isFirst: boolean, edits: EditSink) {
      let last = 0;
      for (const match of text.matchAll(pattern)) {
        const end = match.index + match[0].length;
        edits.keep(last, match.index);
        edits.replace(match.index, end, content);
        last = end;
      }
      edits.keep(last, text.length);
    },
    /** Little is known of a pattern, but spaces that are joined to one are common, and they only matter to spaces. */
    seam(text, index) {
      const pair = text.slice(index - 1, index + 1);
      const isApart = isSpaceRun && !pair.includes(" ");
      return isApart || (isSpaceRun && content === " " && pair !== "  ") ? pair : undefined;
    },
  };
}
