/** @file Finding the chunks that answer a question: indexes, rank fusion, and keeping an index up to date. */
import { sqlite } from "./stores/sqlite.js";

export { type Comparison, type Filter, type Metadata, type MetadataValue, matches, parseFilter } from "./filter.js";
export { type Fused, reciprocalRankFusion } from "./fuse.js";
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

/** Kinds of index, by name. */
export const stores = { sqlite } as const;
