/** @file What a change of chunks means for the inverted lists: collected first, then applied block by block. */
import { slotsPerBlock } from "./bm25.js";
import type { TermCounts } from "./terms.js";

/** Counts are kept in 16 bits. BM25 stops telling counts apart long before. */
const maxCount = 0xffff;

/** Changes of one block. */
export interface BlockChange {
  /** Slots within the block whose postings go. */
  readonly removed: Set<number>;
  /** For every term of a removed or an added chunk, the pairs of (slot within the block, count) that come. */
  readonly added: Map<string, number[]>;
}

/** Chunks to take out of and to put into inverted lists. */
export class PostingChanges {
  readonly #blocks = new Map<number, BlockChange>();

  /** @param terms those the chunk was added with. */
  remove(slot: number, { counts }: TermCounts): void {
    const { removed, added } = this.#changeOf(slot);
    removed.add(slot % slotsPerBlock);
    for (const term of counts.keys()) pairsOf(added, term);
  }

  /** A slot may be freed by `remove` and taken again by `add`, in this order. */
  add(slot: number, { counts }: TermCounts): void {
    const { added } = this.#changeOf(slot);
    for (const [term, count] of counts) {
      pairsOf(added, term).push(slot % slotsPerBlock, Math.min(count, maxCount));
    }
  }

  blocks(): IterableIterator<[block: number, change: BlockChange]> {
    return this.#blocks.entries();
  }

  #changeOf(slot: number): BlockChange {
    const block = Math.floor(slot / slotsPerBlock);
    const change = this.#blocks.get(block) ?? { removed: new Set(), added: new Map() };
    this.#blocks.set(block, change);
    return change;
  }
}

/** A list without the postings of `removed` slots and with `added` pairs at its end. */
export function changedPostings(
  postings: Uint16Array,
  removed: ReadonlySet<number>,
  added: readonly number[],
): Uint16Array {
  const changed = new Uint16Array(postings.length + added.length);
  let length = 0;
  for (let i = 0; i < postings.length; i += 2) {
    if (removed.has(postings[i]!)) continue;
    changed[length++] = postings[i]!;
    changed[length++] = postings[i + 1]!;
  }
  changed.set(added, length);
  return changed.subarray(0, length + added.length);
}

function pairsOf(added: Map<string, number[]>, term: string): number[] {
  const pairs = added.get(term) ?? [];
  added.set(term, pairs);
  return pairs;
}
