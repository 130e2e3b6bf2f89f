/** @file KV-cache policies by name. */
import { contiguous } from "./contiguous.js";
import { int8Rows } from "./int8-rows.js";
import { paged } from "./paged.js";
import { sinksWindow } from "./sinks-window.js";
import { slidingWindow } from "./sliding-window.js";

export const cachePolicies = {
  contiguous,
  "int8-rows": int8Rows,
  paged,
  "sinks-window": sinksWindow,
  "sliding-window": slidingWindow,
} as const;

export type CachePolicyName = keyof typeof cachePolicies;
export type {
  CachedSequence,
  CacheOptions,
  CachePolicy,
  CacheStep,
  CacheUsage,
  KvCache,
  OpenOptions,
} from "./cache.js";
export { pagedPolicy } from "./paged.js";
export { sinksPolicy } from "./sinks-window.js";
