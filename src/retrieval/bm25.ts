/** @file BM25 over inverted lists that are kept in blocks of slots. */
import { type Scored, TopK } from "./top-k.js";

/** A slot is the number under which an index keeps a chunk; slots are dense, so that arrays can be indexed by them. */
export const slotsPerBlock = 8192;

/** Chunks of one block that have a term: pairs of (slot within the block, count). */
export interface PostingList {
  readonly term: string;
  readonly block: number;
  readonly postings: Uint16Array;
}

/** Length of the chunk in each slot of a block, in term positions; 0 where the slot is free. */
export type BlockLengths = ReadonlyMap<number, Uint32Array>;

/** How soon more occurrences of a term stop counting, and how much long chunks are held back: the values of Lucene. */
export const k1 = 1.2;
export const b = 0.75;

/** What scores depend on beside the inverted lists. */
export interface Collection {
  readonly numChunks: number;
  /** Of each chunk, by block: k1 · (1 - b + b · length / mean length). */
  readonly norms: ReadonlyMap<number, Float64Array>;
}

export function collectionOf(lengths: BlockLengths): Collection {
  let numChunks = 0;
  let total = 0;
  for (const block of lengths.values()) {
    for (let i = 0; i < block.length; i++) {
      if (block[i] !== 0) numChunks++;
      total += block[i]!;
    }
  }
  const meanLength = total / numChunks;
  const normsOf = (block: Uint32Array): Float64Array => {
    // a mapping function is called by way of an iterator, which takes ten times as long
    const norms = new Float64Array(block.length);
    for (let i = 0; i < block.length; i++) norms[i] = k1 * (1 - b + (b * block[i]!) / meanLength);
    return norms;
  };
  return { numChunks, norms: new Map([...lengths].map(([number, block]) => [number, normsOf(block)])) };
}

/**
 * The best slots for a query.
 * @param counts the terms of the query, each once for every time it occurs there.
 * @param lists every posting list of these terms.
 * @param accepts whether a slot may be found. Statistics are those of the whole index either way, so a filter leaves scores as they are.
 * @returns slots with positive scores, best first.
 * Source: Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009, section 3.4; the idf is
 * ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.
 */
export function rankByBm25(
  counts: ReadonlyMap<string, number>,
  lists: readonly PostingList[],
  { numChunks, norms }: Collection,
  limit: number,
  accepts: (slot: number) => boolean,
): Scored[] {
  const frequencies = documentFrequencies(lists);
  const best = new TopK(limit);
  const scores = new Float64Array(slotsPerBlock);
  let { threshold } = best;
  for (const [block, listsOfBlock] of byBlock(lists)) {
    scores.fill(0);
    for (const { term, postings } of listsOfBlock) {
      const frequency = frequencies.get(term)!;
      const idf = Math.log(1 + (numChunks - frequency + 0.5) / (frequency + 0.5));
      addScores(scores, postings, norms.get(block)!, idf * counts.get(term)!);
    }
    for (let i = 0; i < slotsPerBlock; i++) {
      const score = scores[i]!;
      if (score === 0 || score < threshold) continue;
      const slot = block * slotsPerBlock + i;
      if (!accepts(slot)) continue;
      best.push(slot, score);
      threshold = best.threshold;
    }
  }
  return best.sorted();
}

function byBlock(lists: readonly PostingList[]): Map<number, PostingList[]> {
  const blocks = new Map<number, PostingList[]>();
  for (const list of lists) {
    const listsOfBlock = blocks.get(list.block);
    if (listsOfBlock === undefined) blocks.set(list.block, [list]);
    else listsOfBlock.push(list);
  }
  return blocks;
}

function addScores(scores: Float64Array, postings: Uint16Array, norms: Float64Array, weight: number): void {
  for (let i = 0; i < postings.length; i += 2) {
    const slot = postings[i]!;
    const count = postings[i + 1]!;
    scores[slot]! += (weight * count * (k1 + 1)) / (count + norms[slot]!);
  }
}

function documentFrequencies(lists: readonly PostingList[]): Map<string, number> {
  const frequencies = new Map<string, number>();
  for (const { term, postings } of lists) {
    frequencies.set(term, (frequencies.get(term) ?? 0) + postings.length / 2);
  }
  return frequencies;
}
