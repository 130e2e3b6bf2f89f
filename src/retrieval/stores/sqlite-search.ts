/** @file Ranking by text and by vector over the tables of the SQLite index. */
import { type Collection, collectionOf, rankByBm25 } from "../bm25.js";
import type { BytePage } from "../byte-codes.js";
import { type Filter, fulfils, type Metadata, parseFilter } from "../filter.js";
import type { ScanBlock } from "../one-bit-codes.js";
import { queryTerms } from "../terms.js";
import { type Scored, TopK } from "../top-k.js";
import type { StoredCodes, VectorCodes } from "../vector-codes.js";
import { StoredBlocks } from "./sqlite-blocks.js";
import type { SqliteFile } from "./sqlite-file.js";
import { HotRows } from "./sqlite-hot-rows.js";
import { readCodes, readLengthsOf, readPage, unpackMetadata } from "./sqlite-rows.js";
import type { Query, StoredChunk } from "./store.js";

/** Whether a slot may be found. */
export type Accepts = (slot: number) => boolean;

/**
 * Searches inside a transaction. What every query needs whole stays in memory, 12 bytes per chunk and the codes of the
 * vectors, and what queries need again and again, within `hotBytes`.
 */
export class SqliteSearch {
  readonly #file: SqliteFile;
  readonly #vectorCodes: VectorCodes | undefined;
  readonly #collection: Cached<Collection>;
  readonly #codes: Cached<StoredCodes>;
  readonly #documents: Cached<DocumentTable>;
  readonly #rows: HotRows;

  constructor(file: SqliteFile, codes: VectorCodes | undefined, hotBytes: number) {
    this.#file = file;
    this.#vectorCodes = codes;
    const lengths = new StoredBlocks(file, "lengths", (block) => readLengthsOf(file, block)!);
    const blocks = new StoredBlocks<ScanBlock>(file, "codes", (block) =>
      codes!.oneBit.scannable(readCodes(file, codes!.oneBit.bytesPerVector, block)!),
    );
    const pages = new StoredBlocks<BytePage>(file, "bytes", (page) => readPage(file, codes?.dimension ?? 0, page)!);
    this.#collection = new Cached(file, () => collectionOf(lengths.value));
    this.#codes = new Cached(file, () => {
      const stored = { blocks: blocks.value, pages: pages.value };
      if (!codes!.areWhole(stored)) throw file.damaged("codes of vectors that are missing");
      return stored;
    });
    this.#documents = new Cached(file, () => readDocuments(file));
    this.#rows = new HotRows(file, lengths, hotBytes);
  }

  /** A test for slots that hold chunks of these documents, with metadata like these; undefined where every slot passes. */
  accepting({ paths, filter }: Pick<Query, "paths" | "filter">): Accepts | undefined {
    const tests = [
      ...(paths === undefined ? [] : [this.#ofPaths(paths)]),
      ...(filter === undefined ? [] : [this.#fulfilling(filter)]),
    ];
    return tests.length < 2 ? tests[0] : (slot) => tests.every((test) => test(slot));
  }

  #ofPaths(paths: readonly string[]): Accepts {
    const select = this.#file.statement("select slot from chunks where path in (select value from json_each(?))");
    const rows = select.all<[number]>(JSON.stringify(paths));
    const slots = new Set(rows.map(([slot]) => slot));
    return (slot) => slots.has(slot);
  }

  #fulfilling(filter: Filter): Accepts {
    const condition = parseFilter(filter);
    const { metadata, documentOfSlot } = this.#documents.value;
    const isFulfilled = metadata.map((of) => fulfils(condition, of));
    return (slot) => isFulfilled[documentOfSlot[slot]!] ?? false;
  }

  /** Slots with the highest BM25 scores, best first. */
  byText(text: string, limit: number, accepts: Accepts = () => true): Scored[] {
    const counts = queryTerms(text);
    const collection = this.#collection.value;
    const lists = this.#rows.postings([...counts.keys()]);
    return lists.length === 0 ? [] : rankByBm25(counts, lists, collection, limit, accepts);
  }

  /** Slots with the highest cosine similarity to a unit vector, best first. Needs an index with vectors. */
  byVector(vector: Float32Array, limit: number, accepts?: Accepts): Scored[] {
    const candidates = this.#vectorCodes!.candidates(vector, limit, this.#codes.value, accepts);
    const best = new TopK(limit);
    const slots = candidates.map(({ key }) => key);
    for (const [slot, stored] of this.#rows.vectors(slots)) best.push(slot, innerProduct(stored, vector));
    return best.sorted();
  }

  /** The chunks in slots that were found, in their order. */
  chunks(slots: readonly number[]): StoredChunk[] {
    return this.#rows.chunks(slots, this.#vectorCodes !== undefined);
  }
}

/** Metadata of all documents, and to which of them the chunk in each slot belongs. */
interface DocumentTable {
  readonly metadata: readonly Metadata[];
  readonly documentOfSlot: Uint32Array;
}

function readDocuments(file: SqliteFile): DocumentTable {
  const select = file.statement("select path, hash, metadata, crc, number from documents");
  const rows = select.all<[path: string, hash: string, metadata: string, crc: number, number: number]>();
  const places = new Map(rows.map(([, , , , number], i) => [number, i]));
  const slots = file.statement("select number, slot from documents join chunks using (path)").all<[number, number]>();
  const documentOfSlot = new Uint32Array(1 + slots.reduce((most, [, slot]) => Math.max(most, slot), -1));
  for (const [number, slot] of slots) documentOfSlot[slot] = places.get(number)!;
  return { metadata: rows.map(([path, ...row]) => unpackMetadata(file, path, row[0], row[1], row[2])), documentOfSlot };
}

/** Something made of what is stored, made again once that has changed. */
class Cached<T> {
  readonly #file: SqliteFile;
  readonly #load: () => T;
  #entry: { readonly state: string; readonly value: T } | undefined;

  constructor(file: SqliteFile, load: () => T) {
    this.#file = file;
    this.#load = load;
  }

  get value(): T {
    const state = this.#file.state();
    if (this.#entry?.state !== state) this.#entry = { state, value: this.#load() };
    return this.#entry.value;
  }
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
