/** @file Ranking by text and by vector over the tables of the SQLite index. */
import { type PostingList, rankByBm25 } from "../bm25.js";
import type { BytePage } from "../byte-codes.js";
import { type Filter, fulfils, type Metadata, parseFilter } from "../filter.js";
import type { ScanBlock } from "../one-bit-codes.js";
import { queryTerms } from "../terms.js";
import { type Scored, TopK } from "../top-k.js";
import type { VectorCodes } from "../vector-codes.js";
import { StoredBlocks } from "./sqlite-blocks.js";
import type { SqliteFile } from "./sqlite-file.js";
import { postingsOf, readCodes, readLengthsOf, readPage, unpackMetadata, vectorOf } from "./sqlite-rows.js";
import type { Query } from "./store.js";

/** Whether a slot may be found. */
export type Accepts = (slot: number) => boolean;

/** Searches inside a transaction. What every query needs whole stays in memory: 4 bytes per chunk, and the codes of the vectors. */
export class SqliteSearch {
  readonly #file: SqliteFile;
  readonly #codes: VectorCodes | undefined;
  readonly #lengths: StoredBlocks<Uint32Array>;
  readonly #codeBlocks: StoredBlocks<ScanBlock>;
  readonly #bytePages: StoredBlocks<BytePage>;
  readonly #documents: Cached<DocumentTable>;

  constructor(file: SqliteFile, codes: VectorCodes | undefined) {
    this.#file = file;
    this.#codes = codes;
    this.#lengths = new StoredBlocks(file, "lengths", (block) => readLengthsOf(file, block)!);
    this.#codeBlocks = new StoredBlocks(file, "codes", (block) =>
      codes!.oneBit.scannable(readCodes(file, codes!.oneBit.bytesPerVector, block)!),
    );
    this.#bytePages = new StoredBlocks(file, "bytes", (page) => readPage(file, codes?.dimension ?? 0, page)!);
    this.#documents = new Cached(file, () => readDocuments(file));
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
    const lists = this.#postingLists([...counts.keys()]);
    return lists.length === 0 ? [] : rankByBm25(counts, lists, this.#lengths.value, limit, accepts);
  }

  /** Slots with the highest cosine similarity to a unit vector, best first. Needs an index with vectors. */
  byVector(vector: Float32Array, limit: number, accepts?: Accepts): Scored[] {
    const codes = { blocks: this.#codeBlocks.value, pages: this.#bytePages.value };
    if (!this.#codes!.areWhole(codes)) throw this.#file.damaged("codes of vectors that are missing");
    const candidates = this.#codes!.candidates(vector, limit, codes, accepts);
    const best = new TopK(limit);
    const slots = candidates.map(({ key }) => key);
    for (const [slot, score] of this.#similarities(slots, vector)) best.push(slot, score);
    return best.sorted();
  }

  #postingLists(terms: readonly string[]): PostingList[] {
    const select = this.#file.statement(
      `select value, postings.block, postings.data, postings.crc from lengths cross join json_each(?)
       cross join postings on postings.block = lengths.block and term = value`,
    );
    const rows = select.all<[term: string, block: number, data: Uint8Array, crc: number]>(JSON.stringify(terms));
    return rows.map(([term, block, ...row]) => ({
      term,
      block,
      postings: postingsOf(this.#file, block, term, ...row),
    }));
  }

  #similarities(slots: readonly number[], vector: Float32Array): [slot: number, score: number][] {
    const select = this.#file.statement(
      "select slot, data, crc from vectors where slot in (select value from json_each(?))",
    );
    const rows = select.all<[slot: number, data: Uint8Array, crc: number]>(JSON.stringify(slots));
    if (rows.length !== slots.length) throw this.#file.damaged("codes without vectors");
    return rows.map(([slot, ...row]) => [slot, innerProduct(vectorOf(this.#file, slot, ...row), vector)]);
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
