/** @file SentencePiece's normalisation (Kudo and Richardson 2018, arXiv:1808.06226, section 3). */

import type { Trie } from "../algorithms/trie.js";
import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { Charsmap } from "../normalizers/charsmap.js";
import { prefixed, strip } from "../normalizers/edges.js";
import { replacePattern, replaceString } from "../normalizers/replace.js";
import { applyEdits, changesInSequence, type EditSink, type TextChange } from "../text-change.js";
import type { SentencePieceNormalization } from "./pieces.js";

/**
 * @param fixed pieces that are taken from a text as they stand, user-defined ones.
 * @param prefixesAll puts the dummy prefix before every stretch between added tokens, not only before a text.
 */
export function normalizationOf(
  spec: SentencePieceNormalization,
  fixed: Trie | undefined,
  prefixesAll: boolean,
): TextChange | undefined {
  const { charsmap, addsDummyPrefix, removesExtraSpaces, spaceMark, marksWordEnds } = spec;
  const changes: TextChange[] = [];
  if (charsmap !== undefined) changes.push(new CharsmapNormalizer(new Charsmap(charsmap), fixed));
  if (removesExtraSpaces) changes.push(replacePattern(/ {2,}/gu, " "), strip(true, true, / /));
  if (addsDummyPrefix && !marksWordEnds) changes.push(prefixed(" ", prefixesAll ? {} : { first: "text" }));
  if (spaceMark !== " ") changes.push(replaceString(" ", spaceMark));
  if (removesExtraSpaces) changes.push(strip(false, true, new RegExp(spaceMark, "u")));
  if (addsDummyPrefix && marksWordEnds) changes.push(suffixed(spaceMark));
  return changesInSequence(changes);
}

/** Replaces the longest match at each place. */
class CharsmapNormalizer implements TextChange {
  readonly #charsmap: Charsmap;
  readonly #fixed: Trie | undefined;

  constructor(charsmap: Charsmap, fixed: Trie | undefined) {
    this.#charsmap = charsmap;
    this.#fixed = fixed;
  }

  apply(text: string): string {
    return applyEdits(this, text, false);
  }

  edit(text: string, _isFirst: boolean, edits: EditSink): void {
    let kept = 0;
    for (let at = 0; at < text.length; ) {
      const fixed = this.#fixed?.longest(text, at, text.length).length ?? 0;
      const found =
        fixed === 0 && this.#charsmap.mayMatch(text, at) ? this.#charsmap.longest(text, at, text.length) : undefined;
      if (found === undefined) {
        at += fixed || utf16Width(codePointAt(text, at, text.length));
        continue;
      }
      if (at > kept) edits.keep(kept, at);
      at += found.length;
      edits.replace(at - found.length, at, found.content);
      kept = at;
    }
    if (kept < text.length) edits.keep(kept, text.length);
  }

  /** What follows may belong to a match. */
  seam(): undefined {
    return undefined;
  }
}

function suffixed(suffix: string): TextChange {
  return {
    apply: (text) => (text === "" ? text : text + suffix),
    edit(text: string, _isFirst: boolean, edits: EditSink) {
      edits.keep(0, text.length);
      if (text !== "") edits.replace(text.length, text.length, suffix);
    },
    seam: () => undefined,
  };
}
