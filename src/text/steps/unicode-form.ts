/** @file Unicode normalisation forms (Unicode Standard Annex 15). */

import type { Edit, TextStep } from "../step.js";
import { stretches, type UnicodeForm } from "../stretches.js";

/**
 * A normalisation form. NFC composes, NFD decomposes; NFKC and NFKD also replace compatibility characters (ﬁ → fi,
 * full width → ASCII, ² → 2).
 */
export function unicodeForm(form: UnicodeForm): TextStep {
  return { name: form, edits };

  function* edits(text: string): Generator<Edit> {
    if (text.normalize(form) === text) return;
    for (const { start, end } of stretches(text, form)) {
      const before = text.slice(start, end);
      const content = before.normalize(form);
      if (content !== before) yield { start, end, content };
    }
  }
}
