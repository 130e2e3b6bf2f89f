/** @file Generation over token ids. */
export type { AdapterOptions, AdapterStatus, AdapterUpdates } from "./adapters/index.js";
export {
  type CachedSequence,
  type CacheOptions,
  type CachePolicy,
  type CachePolicyName,
  type CacheStep,
  type CacheUsage,
  cachePolicies,
  type KvCache,
  type OpenOptions,
  pagedPolicy,
  sinksPolicy,
} from "./cache/index.js";
export { Engine, type EngineOptions, type EngineStatistics, type RequestOptions } from "./engine.js";
export { type GenerateOptions, Generator, type GeneratorOptions } from "./generator.js";
export { type LengthPredictor, longest, RecentLengths, type RecentLengthsOptions } from "./length-predictor.js";
export { LiveWeights, type StepWeights } from "./live-weights.js";
export type { PromptIds } from "./prompt-stream.js";
export * from "./sampling/index.js";
export type { EndReason, GenerationEnd } from "./sequence.js";
export * from "./speculation/index.js";
export type { SpeculationCounts } from "./speculation/speculator.js";
export type { CachedAttention } from "./step-graph.js";
export { type WeightFormat, Weights } from "./weights.js";
