/** @file Unicode normalisation (Unicode Standard Annex 15). */

import { assert } from "../../base/errors.js";
import type { EditSink, TextChange } from "../text-change.js";

export const unicodeForms = ["NFC", "NFD", "NFKC", "NFKD"] as const;
export type UnicodeForm = (typeof unicodeForms)[number];

/**
 * Characters that composition may join to the one before: marks, the vowels and finals of conjoining Hangul, and the
 * Kirat Rai vowel signs, which Unicode counts as letters.
 */
const continuation = /^[\p{M}\u1160-\u11ff\ud7b0-\ud7fb\u{16d63}\u{16d67}\u{16d68}]/u;

export class UnicodeNormalizer implements TextChange {
  readonly #form: UnicodeForm;

  constructor(form: UnicodeForm) {
    this.#form = form;
  }

  apply(text: string): string {
    return text.normalize(this.#form);
  }

  edit(text: string, _isFirst: boolean, edits: EditSink): void {
    let normalized = "";
    for (const { start, end } of this.#segments(text)) {
      const original = text.slice(start, end);
      const part = this.apply(original);
      normalized += part;
      if (part === original) edits.keep(start, end);
      else edits.replace(start, end, part);
    }
    assert(normalized === this.apply(text), `normalisation of "${text}" crosses segments`);
  }

  seam(text: string, index: number): string | undefined {
    const stands = this.#stands(text.charAt(index - 1)) && this.#stands(text.charAt(index));
    return stands ? text.slice(index - 1, index + 1) : undefined;
  }

  /** Whether a character neither changes nor joins the one before. */
  #stands(character: string): boolean {
    return character < "\x80" || (!continuation.test(character) && this.apply(character) === character);
  }

  /** Stretches that normalise independently of each other. */
  *#segments(text: string): Generator<{ start: number; end: number }> {
    let start = 0;
    let at = 0;
    for (const character of text) {
      // compatibility forms turn some letters into marks, so the question is what the character becomes
      if (at > start && !continuation.test(this.apply(character))) {
        yield { start, end: at };
        start = at;
      }
      at += character.length;
    }
    if (at > start) yield { start, end: at };
  }
}
