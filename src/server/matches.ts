/** @file Where a text has the words of a question, to show why it was found. */

import type { Span } from "../chunk/chunk.js";
import { documentTerms, queryTerms } from "../retrieval/terms.js";

const letters = /[\p{L}\p{M}\p{N}]+/gu;
const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/**
 * Spans of `text` whose terms are terms of `question`, by the same rules as full-text search.
 */
export function matchedWords(question: string, text: string): Span[] {
  const wanted = queryTerms(question);
  const spans: Span[] = [];
  for (const { 0: run, index } of text.matchAll(letters)) {
    // only scripts without spaces have more than one word in a run
    for (const { segment, index: offset } of segmenter.segment(run)) {
      const isWanted = [...documentTerms(segment).counts.keys()].some((term) => wanted.has(term));
      if (isWanted) spans.push({ start: index + offset, end: index + offset + segment.length });
    }
  }
  return spans;
}
