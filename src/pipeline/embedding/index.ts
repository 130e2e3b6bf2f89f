/** @file Tuning of encoders on pairs of texts. */
export {
  type EmbeddingConfig,
  type EmbeddingSettings,
  embeddingConfigJsonSchema,
  embeddingSettings,
} from "./embedding-config.js";
export type { SearchReport } from "./held-out-search.js";
export { type EmbeddingContext, type EmbeddingEvent, type EmbeddingReport, tuneEmbedding } from "./tune-embedding.js";
