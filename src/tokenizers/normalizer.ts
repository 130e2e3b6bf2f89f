/** @file Unicode normalisation before tokenization, with the way back to the source text. */

import { assert } from "../base/errors.js";
import type { SourceMap } from "./source-map.js";

/** A Unicode normalisation form (Unicode Standard Annex 15). */
export const unicodeForms = ["NFC", "NFD", "NFKC", "NFKD"] as const;
export type UnicodeForm = (typeof unicodeForms)[number];

/**
 * Characters that composition may join to the one before: marks, the vowels and finals of conjoining Hangul, and the
 * Kirat Rai vowel signs, which Unicode counts as letters.
 */
const continuation = /^[\p{M}\u1160-\u11ff\ud7b0-\ud7fb\u{16d63}\u{16d67}\u{16d68}]/u;

export class Normalizer {
  readonly #forms: readonly UnicodeForm[];

  /** @param forms applied in this order. */
  constructor(forms: readonly UnicodeForm[]) {
    this.#forms = forms;
  }

  normalize(text: string): string {
    return this.#forms.reduce((result, form) => result.normalize(form), text);
  }

  /**
   * Whether any stretch of `text` can be normalised in two parts, cut at `index`, and the character before stays as it
   * is; the one after may still join marks that follow, which does not change its kind. Neither may be half a
   * surrogate pair.
   */
  separatesAt(text: string, index: number): boolean {
    return this.#stands(text.charAt(index - 1)) && this.#stands(text.charAt(index));
  }

  /** Whether a character neither changes nor joins the one before. */
  #stands(character: string): boolean {
    return character < "\x80" || (!continuation.test(character) && this.normalize(character) === character);
  }

  /** Where each code unit of `normalize(text)` comes from, when `text` begins at `start` of the source. */
  sourceMap(text: string, start: number): SourceMap {
    const starts: number[] = [];
    const ends: number[] = [];
    let normalized = "";
    for (const segment of this.#segments(text)) {
      const original = text.slice(segment.start, segment.end);
      const part = this.normalize(original);
      normalized += part;
      for (let i = 0; i < part.length; i++) {
        starts.push(start + segment.start + (part === original ? i : 0));
        ends.push(start + (part === original ? segment.start + i + 1 : segment.end));
      }
    }
    assert(normalized === this.normalize(text), `normalisation of "${text}" crosses segments`);
    return {
      start: (position) => starts[position] ?? start + text.length,
      end: (position) => ends[position - 1] ?? start,
    };
  }

  /** Stretches that normalise independently of each other. */
  *#segments(text: string): Generator<{ start: number; end: number }> {
    let start = 0;
    let at = 0;
    for (const character of text) {
      // compatibility forms turn some letters into marks, so the question is what the character becomes
      if (at > start && !continuation.test(this.normalize(character))) {
        yield { start, end: at };
        start = at;
      }
      at += character.length;
    }
    if (at > start) yield { start, end: at };
  }
}
