/** @file Where a text has the words of a question, to show why it was found. */

import type { Span } from "../chunk/chunk.js";
import { documentTerms, queryTerms } from "../retrieval/terms.js";

/** Words that stand in nearly every English passage and so say nothing about one. */
const commonWords = new Set(
  (
    "a about after all also an and any are as at be been but by can could did do does each for from get has have how i if in " +
    "into is it its let may me my no not of on one or our should so than that the their them then there these they thi this to " +
    "us use was we were what when where which who why will with would you your"
  ).split(" "),
);

const letters = /[\p{L}\p{M}\p{N}]+/gu;
const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/**
 * Spans of `text` whose terms are terms of `question`, by the same rules as full-text search. Common words count only in
 * a question that has no others.
 */
export function matchedWords(question: string, text: string): Span[] {
  const terms = [...queryTerms(question).keys()];
  const telling = terms.filter((term) => !commonWords.has(term));
  const wanted = new Set(telling.length > 0 ? telling : terms);
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
