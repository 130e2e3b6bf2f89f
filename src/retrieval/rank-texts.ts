/** @file BM25 over a few texts in memory, for what is not worth an index. */

import { documentTerms, queryTerms } from "./terms.js";
import { TextIndex } from "./text-index.js";
import type { Scored } from "./top-k.js";

/**
 * Ranks texts by a question, with the terms and the formula of the index.
 * @returns texts that share a term with it by their place, best first; of equal ones the earlier.
 */
export function rankTexts(question: string, texts: readonly string[]): Scored[] {
  return rankByTerms(queryTerms(question), texts);
}

/** Ranks texts by what they are all about: the terms of all of them, as often as they occur. */
export function rankByCentroid(texts: readonly string[]): Scored[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [term, count] of documentTerms(text).counts) counts.set(term, (counts.get(term) ?? 0) + count);
  }
  return rankByTerms(counts, texts);
}

const rankByTerms = (query: ReadonlyMap<string, number>, texts: readonly string[]): Scored[] =>
  new TextIndex(texts, query).rankTerms(query);
