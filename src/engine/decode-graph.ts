/** @file The graph that one sequence at a time runs. */

import type { Graph } from "../graph/index.js";
import type { LanguageModel } from "../nn/index.js";
import { slotAttention } from "./cache/slot-attention.js";
import { stepGraph } from "./step-graph.js";
import type { Weights } from "./weights.js";

export { paddedHeadDim } from "./cache/kernel-attention.js";

/**
 * `stepGraph` over slots whose caches keep every row: fed `last` [B] and `total` [] int32 (position of the last new
 * token and length so far), `keys.<layer>` and `values.<layer>` [B, G, M, C]; gives the caches as `newKeys.<layer>` and
 * `newValues.<layer>`, which may be written over the ones fed.
 */
export function decodeGraph(model: LanguageModel, weights: Weights): Graph {
  return stepGraph(
    model,
    weights,
    slotAttention(model, () => ""),
  );
}
