/** @file Finding the chunks that answer a question: indexes, fusion, reranking, packing, and keeping an index up to date. */
import { sqlite } from "./stores/sqlite.js";

export { type Comparison, type Filter, type Metadata, type MetadataValue, matches, parseFilter } from "./filter.js";
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
  type DocumentChunks,
  type Embedding,
  type Hit,
  type IndexedChunk,
  type Query,
  type Store,
  type StoreDef,
  type StoredChunk,
  StoreError,
  type StoreOptions,
} from "./stores/store.js";
export { type CutChunk, type SourceDocument, type SyncOptions, type SyncResult, syncIndex } from "./sync.js";
export { takeFitting } from "./take-fitting.js";

/** Kinds of index, by name. */
export const stores = { sqlite } as const;
