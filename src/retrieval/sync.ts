/** @file Brings an index to the state of a set of documents, with work in proportion to what changed. */
import { DataError } from "../base/errors.js";
import type { Chunk } from "../chunk/chunk.js";
import type { Metadata } from "./filter.js";
import type { DocumentChunks, IndexedChunk, Store } from "./stores/store.js";

export interface SourceDocument {
  /** Relative to the indexed folder, with forward slashes. */
  readonly path: string;
  /**
   * Equal only when the chunks are: made of the text and of everything that decides how it is cut, such as the names and
   * options of reader and chunker, and of the metadata.
   */
  readonly hash: string;
  readonly text: string;
  /** What queries may filter by. */
  readonly metadata?: Metadata;
}

/** A chunk whose chunker has embedded it already (late chunking), or not. */
export type CutChunk = Chunk & Pick<IndexedChunk, "vector">;

export interface SyncOptions {
  /** Cuts a document. */
  chunk(document: SourceDocument): Iterable<CutChunk> | AsyncIterable<CutChunk>;
  /** Unit-length embeddings of texts, in their order. Needed when the store has vectors and `chunk` does not give them. */
  embed?(texts: readonly string[]): Promise<readonly Float32Array[]>;
  /**
   * Chunks that are collected before they are written; a document is never divided. Default 1000: fewer cost more writes,
   * more block the event loop for longer (a thousand take about a quarter of a second). The first batches are smaller, so
   * that what comes first can soon be found, however slow the embedder is.
   */
  readonly batchSizeChunks?: number;
}

export interface SyncResult {
  /** Numbers of documents. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** Number of chunks that were written. */
  readonly chunks: number;
}

/** Batches grow from this to their size, each as large as all before it. */
const firstBatchChunks = 32;

/**
 * Makes `store` hold exactly `documents`: writes those that are new or have another hash, and removes those that are gone.
 * Each batch is written as one; a run that was interrupted is simply repeated and finds what is done. Nothing is removed
 * before all documents have been seen. Chunks keep their ids and vectors as long as their text stays the same.
 * @throws DataError when a path comes twice. Errors of the store, the source, `chunk` and `embed` pass through.
 */
export async function syncIndex(
  store: Store,
  documents: Iterable<SourceDocument> | AsyncIterable<SourceDocument>,
  options: SyncOptions,
): Promise<SyncResult> {
  const { batchSizeChunks = 1000 } = options;
  const indexed = await store.documents();
  const seen = new Set<string>();
  const counts = { added: 0, changed: 0, unchanged: 0, chunks: 0 };
  let batch: DocumentChunks[] = [];
  const flush = async (): Promise<void> => {
    await store.replace(options.embed === undefined ? batch : await withVectors(batch, store, options.embed));
    counts.chunks += numChunks(batch);
    batch = [];
  };
  for await (const document of documents) {
    const { path, hash, metadata } = document;
    if (seen.has(path)) throw new DataError(`indexing: the path ${path} came twice; paths must be unique`);
    seen.add(path);
    const kind = kindOf(document, indexed);
    counts[kind]++;
    if (kind === "unchanged") continue;
    batch.push({ path, hash, chunks: await chunksOf(document, options), ...(metadata !== undefined && { metadata }) });
    if (numChunks(batch) >= Math.min(batchSizeChunks, Math.max(firstBatchChunks, counts.chunks))) await flush();
  }
  if (batch.length > 0) await flush();
  const gone = [...indexed.keys()].filter((path) => !seen.has(path));
  if (gone.length > 0) await store.remove(gone);
  return { ...counts, removed: gone.length };
}

function kindOf(
  { path, hash }: SourceDocument,
  indexed: ReadonlyMap<string, string>,
): "added" | "changed" | "unchanged" {
  const known = indexed.get(path);
  if (known === undefined) return "added";
  return known === hash ? "unchanged" : "changed";
}

function numChunks(documents: readonly DocumentChunks[]): number {
  return documents.reduce((sum, { chunks }) => sum + chunks.length, 0);
}

/** Chunks with ids that depend on their text, and on their order only where texts are alike. */
async function chunksOf(document: SourceDocument, { chunk }: SyncOptions): Promise<IndexedChunk[]> {
  const chunks: IndexedChunk[] = [];
  const occurrences = new Map<string, number>();
  for await (const cut of chunk(document)) {
    const print = fingerprint(cut.text);
    const occurrence = (occurrences.get(print) ?? 0) + 1;
    occurrences.set(print, occurrence);
    const id = `${document.path}#${print}`;
    chunks.push({ ...cut, id: occurrence === 1 ? id : `${id}.${occurrence}` });
  }
  return chunks;
}

/** FNV-1a over UTF-16 code units, in hexadecimal. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Adds the vectors: those of chunks whose text the store has already, and new ones for the rest, asked for in one call. */
async function withVectors(
  documents: readonly DocumentChunks[],
  store: Store,
  embed: NonNullable<SyncOptions["embed"]>,
): Promise<DocumentChunks[]> {
  const vectors = await storedVectors(documents, store);
  const chunks = documents.flatMap((document) => document.chunks).filter(({ vector }) => vector === undefined);
  const texts = [...new Set(chunks.map(({ text }) => text))].filter((text) => !vectors.has(text));
  const embedded = texts.length === 0 ? [] : await embed(texts);
  if (embedded.length !== texts.length) {
    throw new DataError(`indexing: embed was given ${texts.length} texts and returned ${embedded.length} vectors`);
  }
  for (const [i, text] of texts.entries()) vectors.set(text, embedded[i]!);
  return documents.map((document) => ({
    ...document,
    chunks: document.chunks.map((chunk) => ({ ...chunk, vector: chunk.vector ?? vectors.get(chunk.text)! })),
  }));
}

/** Vectors of what the store holds of these documents, by text. */
async function storedVectors(documents: readonly DocumentChunks[], store: Store): Promise<Map<string, Float32Array>> {
  const vectors = new Map<string, Float32Array>();
  for (const { path } of documents) {
    for (const { text, vector } of await store.chunks(path)) {
      if (vector !== undefined) vectors.set(text, vector);
    }
  }
  return vectors;
}
