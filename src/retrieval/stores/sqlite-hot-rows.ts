/** @file Rows that searches read; the hot ones come from memory and need no disk, no checksum and no parsing. */
import { type PostingList, slotsPerBlock } from "../bm25.js";
import { HotTier } from "../hot-tier.js";
import type { StoredBlocks } from "./sqlite-blocks.js";
import type { SqliteFile } from "./sqlite-file.js";
import { readChunks, readPostings, readVectors, withVector } from "./sqlite-rows.js";
import type { StoredChunk } from "./store.js";

/** What an entry takes beside its numbers or its text: its key, and of a chunk id, path and headings. */
const overheadBytes = { list: 100, chunk: 600 };

/**
 * Reads inside a transaction. A row is as old as the block of its slot: a change makes only rows of the blocks that it wrote
 * cold.
 */
export class HotRows {
  readonly #file: SqliteFile;
  readonly #lengths: StoredBlocks<Uint32Array>;
  readonly #lists: HotTier<string, Uint16Array>;
  readonly #vectors: HotTier<number, Float32Array>;
  readonly #chunks: HotTier<number, StoredChunk>;

  /** @param maxBytes of memory: half for inverted lists, a quarter each for vectors and chunks. */
  constructor(file: SqliteFile, lengths: StoredBlocks<Uint32Array>, maxBytes: number) {
    this.#file = file;
    this.#lengths = lengths;
    this.#lists = new HotTier(maxBytes / 2);
    this.#vectors = new HotTier(maxBytes / 4);
    this.#chunks = new HotTier(maxBytes / 4);
  }

  /** The inverted lists of terms, block after block. */
  postings(terms: readonly string[]): PostingList[] {
    const blocks = [...this.#lengths.written];
    const wanted = blocks.flatMap(([block, version]) => terms.map((term) => ({ term, block, version })));
    const lists = new Map<string, Uint16Array>();
    const cold = wanted.filter(({ term, block, version }) => {
      const key = keyOf(term, block);
      const list = this.#lists.get(key, version);
      if (list !== undefined) lists.set(key, list);
      return list === undefined;
    });
    if (cold.length > 0) {
      const coldTerms = [...new Set(cold.map(({ term }) => term))];
      const coldBlocks = [...new Set(cold.map(({ block }) => block))];
      for (const { term, block, postings } of readPostings(this.#file, coldTerms, coldBlocks)) {
        lists.set(keyOf(term, block), postings);
      }
      for (const { term, block, version } of cold) {
        const key = keyOf(term, block);
        // that a block has none of a term is worth to be known too
        const list = lists.get(key) ?? new Uint16Array();
        this.#lists.set(key, version, list, list.byteLength + overheadBytes.list);
      }
    }
    return wanted.flatMap(({ term, block }) => {
      const postings = lists.get(keyOf(term, block));
      return postings === undefined || postings.length === 0 ? [] : [{ term, block, postings }];
    });
  }

  /** Vectors in slots, by slot. They are not to be changed. */
  vectors(slots: readonly number[]): ReadonlyMap<number, Float32Array> {
    return this.#rows(slots, this.#vectors, readVectors, ({ byteLength }) => byteLength);
  }

  /** Chunks in slots, in their order. */
  chunks(slots: readonly number[], hasVectors: boolean): StoredChunk[] {
    const sizeOf = ({ text }: StoredChunk): number => 2 * text.length + overheadBytes.chunk;
    const chunks = this.#rows(slots, this.#chunks, readChunks, sizeOf);
    const vectors = hasVectors ? this.vectors(slots) : undefined;
    // copies: callers may change what they are given
    return slots.map((slot) => withVector({ ...chunks.get(slot)! }, vectors?.get(slot)?.slice()));
  }

  #rows<T>(
    slots: readonly number[],
    tier: HotTier<number, T>,
    read: (file: SqliteFile, slots: readonly number[]) => ReadonlyMap<number, T>,
    sizeOf: (value: T) => number,
  ): ReadonlyMap<number, T> {
    const { written } = this.#lengths;
    const versionOf = (slot: number): number => {
      const version = written.get(Math.floor(slot / slotsPerBlock));
      if (version === undefined) throw this.#file.damaged("a search result in a block that is not there");
      return version;
    };
    const rows = new Map<number, T>();
    const cold = slots.filter((slot) => {
      const row = tier.get(slot, versionOf(slot));
      if (row !== undefined) rows.set(slot, row);
      return row === undefined;
    });
    if (cold.length === 0) return rows;
    for (const [slot, row] of read(this.#file, cold)) {
      rows.set(slot, row);
      tier.set(slot, versionOf(slot), row, sizeOf(row));
    }
    return rows;
  }
}

const keyOf = (term: string, block: number): string => `${block} ${term}`;
