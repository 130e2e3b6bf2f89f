/** @file Attention over blocks: the rows of each sequence are gathered, then read as if they had always lain together. */

import { type Aval, gather, mulDims, reshape, type Tensor } from "../../graph/index.js";
import type { LanguageModel } from "../../nn/index.js";
import type { CachedAttention } from "../step-graph.js";
import { attendOver, paddedHeadDim } from "./kernel-attention.js";

/**
 * Fed `poolKeys.<layer>` and `poolValues.<layer>` [blocks · G, blockTokens · C], `blocks.<G>` [B, G, K] int64 (their rows
 * that hold each head's blocks, in order), `last` [B] and `total` [] int32; gives the new tokens' rows as `newKeys.<layer>`
 * and `newValues.<layer>` [B, S, G·C].
 */
export function pagedAttention(model: LanguageModel, blockTokens: number): CachedAttention {
  const inputs: Record<string, Aval> = {
    last: { dtype: "int32", shape: ["B"] },
    total: { dtype: "int32", shape: [] },
  };
  for (const [i, spec] of model.caches.entries()) {
    if (!spec) continue;
    const { numKvHeads, headDim } = spec;
    const pool: Aval = { dtype: "float32", shape: [`N${numKvHeads}`, blockTokens * paddedHeadDim(headDim)] };
    inputs[`poolKeys.${i}`] = pool;
    inputs[`poolValues.${i}`] = pool;
    inputs[`blocks.${numKvHeads}`] = { dtype: "int64", shape: ["B", numKvHeads, "K"] };
  }
  return {
    inputs,
    attend: (request, layer, tensors) => {
      const { numKvHeads, headDim } = request;
      const together = (pool: Tensor): Tensor =>
        reshape(gather(pool, tensors[`blocks.${numKvHeads}`]!), [
          "B",
          numKvHeads,
          mulDims(blockTokens, "K"),
          paddedHeadDim(headDim),
        ]);
      const { out, freshKeys, freshValues } = attendOver(request, {
        keys: together(tensors[`poolKeys.${layer}`]!),
        values: together(tensors[`poolValues.${layer}`]!),
        last: tensors.last!,
        total: tensors.total!,
      });
      return { out, outputs: { [`newKeys.${layer}`]: freshKeys, [`newValues.${layer}`]: freshValues } };
    },
  };
}
