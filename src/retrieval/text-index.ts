/** @file BM25 over texts in memory that many questions are asked of. */

import { type Collection, collectionOf, type PostingList, rankByBm25, slotsPerBlock } from "./bm25.js";
import { documentTerms, queryTerms } from "./terms.js";
import type { Scored } from "./top-k.js";

export class TextIndex {
  readonly #collection: Collection;
  readonly #lists = new Map<string, PostingList[]>();

  /** @param wanted terms to keep, for a single question. Default all. */
  constructor(
    readonly texts: readonly string[],
    wanted?: ReadonlyMap<string, number>,
  ) {
    const allLengths = new Map<number, Uint32Array>();
    const pairs = new Map<string, Map<number, number[]>>();
    for (const [slot, text] of texts.entries()) {
      const { counts, numPositions } = documentTerms(text);
      const block = Math.floor(slot / slotsPerBlock);
      const lengths = allLengths.get(block) ?? new Uint32Array(slotsPerBlock);
      allLengths.set(block, lengths);
      lengths[slot % slotsPerBlock] = numPositions;
      for (const [term, count] of counts) {
        if (wanted && !wanted.has(term)) continue;
        const blocks = pairs.get(term) ?? new Map<number, number[]>();
        pairs.set(term, blocks);
        const list = blocks.get(block) ?? [];
        blocks.set(block, list);
        list.push(slot % slotsPerBlock, Math.min(count, 0xffff));
      }
    }
    this.#collection = collectionOf(allLengths);
    for (const [term, blocks] of pairs) {
      this.#lists.set(
        term,
        [...blocks].map(([block, list]) => ({ block, term, postings: Uint16Array.from(list) })),
      );
    }
  }

  /** Texts that share a term with the question by their place, best first; of equal ones the earlier. */
  rank(question: string): Scored[] {
    return this.rankTerms(queryTerms(question));
  }

  /** The same for terms with their counts. */
  rankTerms(terms: ReadonlyMap<string, number>): Scored[] {
    const lists = [...terms.keys()].flatMap((term) => this.#lists.get(term) ?? []);
    return lists.length === 0 ? [] : rankByBm25(terms, lists, this.#collection, this.texts.length, () => true);
  }
}
