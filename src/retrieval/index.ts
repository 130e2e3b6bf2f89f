/** @file Finding the chunks that answer a question: indexes, fusion, reranking, packing, and keeping an index up to date. */
import { ConfigError } from "../base/errors.js";
import { pgvector } from "./stores/pgvector.js";
import { sqlite } from "./stores/sqlite.js";
import type { Store, StoreDef, StoreOptions } from "./stores/store.js";

export { type Access, AccessCounts, type AccessOptions, type ChunkAccess } from "./access-counts.js";
export { type Comparison, type Filter, type Metadata, type MetadataValue, matches, parseFilter } from "./filter.js";
export { followUp } from "./follow-up.js";
export { type Fused, reciprocalRankFusion } from "./fuse.js";
export { type Fusion, fusions, type ScoredKey } from "./fusions/index.js";
export { type MmrOptions, maximalMarginalRelevance } from "./mmr.js";
export {
  type PackedContext,
  type PackedSpan,
  type PackOptions,
  type PackOrder,
  packContext,
  packOrders,
  type ScoredChunk,
} from "./pack.js";
export { type HttpRerankerOptions, httpReranker } from "./rerankers/http.js";
export type { Reranker } from "./rerankers/reranker.js";
export {
  type Passage,
  type QueryEmbedder,
  type Ranked,
  type Retrieved,
  type RetrieveOptions,
  retrieve,
  type Trace,
} from "./retrieve.js";
export { type Rewrite, splitQuestion } from "./rewrite.js";
export {
  type Choose,
  type DocumentChunks,
  type Embedding,
  type Hit,
  type IndexedChunk,
  type Keyed,
  type Query,
  type RankedKey,
  type Store,
  type StoreDef,
  type StoredChunk,
  StoreError,
  type StoreOptions,
  type WithChunk,
} from "./stores/store.js";
export { type CutChunk, type SourceDocument, type SyncOptions, type SyncResult, syncIndex } from "./sync.js";
export { takeFitting } from "./take-fitting.js";

/** Kinds of index, by name. */
export const stores = { sqlite, pgvector } as const;

/**
 * Opens an index by where it is: an address with a scheme (`postgres://user@host/database?schema=name`), or a folder.
 * @throws ConfigError for a scheme that no kind of index has; else as `StoreDef.open`.
 */
export async function openStore(location: string, options?: StoreOptions): Promise<Store> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return stores.sqlite.open(location, options);
  const kinds: readonly StoreDef[] = Object.values(stores);
  const kind = kinds.find(({ schemes }) => schemes.includes(scheme));
  if (kind !== undefined) return kind.open(location, options);
  const known = kinds.flatMap(({ schemes }) => schemes).join(", ");
  throw new ConfigError(`opening an index: no kind of index has the scheme ${scheme}; there are ${known}, and folders`);
}
