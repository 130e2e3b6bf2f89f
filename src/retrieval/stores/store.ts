/** @file What every index of chunks offers: full text from the start, vectors when there is an embedder. */
import { TesseraError } from "../../base/errors.js";
import type { Chunk } from "../../chunk/chunk.js";
import type { Filter, Metadata } from "../filter.js";

/** A chunk as it is given to an index. */
export interface IndexedChunk extends Chunk {
  /** Unique in the index. The same chunk of the same document keeps it from one run to the next. */
  readonly id: string;
  /** Unit-length embedding; present exactly when the index has vectors. */
  readonly vector?: Float32Array;
}

/** A chunk as it comes back. */
export interface StoredChunk extends IndexedChunk {
  /** Path of the document, relative to the indexed folder, with forward slashes. */
  readonly path: string;
  /** Content hash of the document that the chunk was cut from. */
  readonly documentHash: string;
  /** What is known of the document; absent where nothing is. */
  readonly metadata?: Metadata;
}

/** A document with all its chunks; one without chunks is remembered too, so that it need not be read again. */
export interface DocumentChunks {
  readonly path: string;
  readonly hash: string;
  readonly chunks: readonly IndexedChunk[];
  /** What queries may filter by. */
  readonly metadata?: Metadata;
}

/** A chunk that was found, and how. */
export interface RankedKey {
  /** Of the chunk in the index, as long as a search lasts. */
  readonly key: number;
  /** Higher is better; comparable only within one query. BM25, cosine similarity or fused score, by what was asked. */
  readonly score: number;
  /** Rank in each list that was searched, from 1; absent where the list did not find it. */
  readonly ranks: { readonly text?: number; readonly vector?: number };
}

export type Keyed = Pick<RankedKey, "key">;
export type WithChunk<T> = T & { readonly chunk: StoredChunk };
export type Hit = WithChunk<RankedKey>;

/** What of the lists of several queries is wanted. */
export type Choose<T extends Keyed> = (lists: readonly (readonly RankedKey[])[]) => readonly T[];

export interface Query {
  /** Words to search by BM25. Any text is allowed and there is no query syntax; without a known word nothing is found. */
  readonly text?: string;
  /** Unit-length embedding to search by cosine similarity; with `text` too, both lists are fused. */
  readonly vector?: Float32Array;
  readonly limit: number;
  /** Only chunks of these documents. */
  readonly paths?: readonly string[];
  /** Only chunks of documents whose metadata fulfil it, as `matches` says. */
  readonly filter?: Filter;
}

/** Where the vectors of an index come from. Two models of the same dimension are as different as two dimensions. */
export interface Embedding {
  readonly model: string;
  readonly dimension: number;
}

export interface StoreOptions {
  /** Fixed when the index is made; absent: text only, or whatever an existing index has. */
  readonly embedding?: Embedding;
  /**
   * Makes the index anew, empty, whatever is there: damaged, of another version or embedder. It is then to be filled from the
   * documents again. Never touches what is no index. Default false.
   */
  readonly rebuild?: boolean;
  /**
   * Bytes of memory in which an index on this machine keeps rows that are asked for again and again. Default 64 MiB; what
   * is given less goes to pages of the file. A database server has a cache of its own.
   */
  readonly hotBytes?: number;
}

/**
 * An open index. A promise that `replace` or `remove` settles means that the change is on the disk and outlasts a crash.
 * Any number of processes may read; the first one that writes is the only writer until it closes or dies.
 */
export interface Store extends AsyncDisposable {
  /** Absent when the index is text only. */
  readonly embedding: Embedding | undefined;
  /**
   * Replaces all chunks of the given documents, atomically per call: a reader sees the old ones or the new ones.
   * @throws DataError on a repeated path or id, on metadata that cannot be kept, on a vector that is missing, has another
   * dimension or is not of unit length.
   * @throws StoreError when another process writes, or the disk fails.
   */
  replace(documents: readonly DocumentChunks[]): Promise<void>;
  /** Removes documents and their chunks, atomically per call; unknown paths are ignored. */
  remove(paths: readonly string[]): Promise<void>;
  /** Hash of every indexed document, by path. */
  documents(): Promise<ReadonlyMap<string, string>>;
  /** Chunks of one document in the order of their starts; none when the path is unknown. */
  chunks(path: string): Promise<StoredChunk[]>;
  /** Number of chunks. */
  count(): Promise<number>;
  /**
   * The best chunks, best first.
   * @throws ConfigError when there is neither text nor vector, the limit is no positive integer, the filter is none, or the
   * vector does not fit the index.
   */
  query(query: Query): Promise<Hit[]>;
  /**
   * Several queries of one state of the index. Only the chunks that are chosen from what they found are read.
   * @param choose is given the keys of each query, best first.
   * @returns what was chosen, in its order, with its chunks.
   * @throws as `query`.
   */
  search<T extends Keyed>(queries: readonly Query[], choose: Choose<T>): Promise<WithChunk<T>[]>;
  /** Reads everything and compares it with its checksums. @throws StoreError naming what is damaged. */
  verify(): Promise<void>;
  /** Gives room that was left by removed chunks back to the system. */
  compact(): Promise<void>;
  /**
   * Copies the index as it is now, while it may be read and written, to a place where there is none; opened from there it
   * is an index like this one.
   * @throws UnsupportedError where a server has its own backups; StoreError when there is something, or the disk fails.
   */
  snapshot(location: string): Promise<void>;
  close(): Promise<void>;
}

/** A kind of index. Registered in `index.ts`; the conformance suite then tests it. */
export interface StoreDef {
  readonly name: string;
  /** Schemes of the addresses that it opens, without the colon; none for a folder on this machine. */
  readonly schemes: readonly string[];
  /** Cases of the conformance suite that do not apply, with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
  /**
   * Opens the index at a location (a folder, an address), and makes it where there is none.
   * @throws StoreError when it is damaged, of another version, or has other vectors than `options.embedding`; the message says what to do.
   */
  open(location: string, options?: StoreOptions): Promise<Store>;
}

/** An index that cannot be opened, trusted or written. */
export class StoreError extends TesseraError {}

/** What to do about an index that cannot be used. The documents are still there, so nothing is lost but time. */
export const rebuildAdvice = "build it again from the documents (tessera index --rebuild, or the option rebuild)";
