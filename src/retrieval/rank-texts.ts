/** @file BM25 over a few texts in memory, for what is not worth an index. */

import { type PostingList, rankByBm25, slotsPerBlock } from "./bm25.js";
import { documentTerms, queryTerms } from "./terms.js";
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

function rankByTerms(query: ReadonlyMap<string, number>, texts: readonly string[]): Scored[] {
  const lengths = new Map<number, Uint32Array>();
  const postings = new Map<string, number[]>();
  for (const [slot, text] of texts.entries()) {
    const { counts, numPositions } = documentTerms(text);
    const block = Math.floor(slot / slotsPerBlock);
    const lengthsOfBlock = lengths.get(block) ?? new Uint32Array(slotsPerBlock);
    lengths.set(block, lengthsOfBlock);
    lengthsOfBlock[slot % slotsPerBlock] = numPositions;
    for (const term of query.keys()) {
      const count = counts.get(term);
      if (count === undefined) continue;
      const key = `${block} ${term}`;
      const pairs = postings.get(key) ?? [];
      pairs.push(slot % slotsPerBlock, Math.min(count, 0xffff));
      postings.set(key, pairs);
    }
  }
  const lists = [...postings].map(([key, pairs]): PostingList => {
    const space = key.indexOf(" ");
    return { block: Number(key.slice(0, space)), term: key.slice(space + 1), postings: Uint16Array.from(pairs) };
  });
  return lists.length === 0 ? [] : rankByBm25(query, lists, lengths, texts.length, () => true);
}
