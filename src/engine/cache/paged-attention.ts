/** @file Attention over blocks: the rows of each sequence are gathered, then read as if they had always lain together. */

import { type Aval, after, mulDims, reshape } from "../../graph/index.js";
import type { LanguageModel } from "../../nn/index.js";
import type { CachedAttention } from "../step-graph.js";
import { attendOver, paddedHeadDim } from "./kernel-attention.js";
import type { RowFormat } from "./row-format.js";

/**
 * Fed `poolKeys<part>.<layer>` and `poolValues<part>.<layer>` [blocks · G, blockTokens · size] for the parts of a format, `blocks.<G>` [B, G, K] int64 (their rows
 * that hold each head's blocks, in order), `last` [B] and `total` [] int32; gives the new tokens' rows as `newKeys.<layer>`
 * and `newValues.<layer>` [B, S, G·C].
 *
 * It also gives the gathered rows, `gatheredKeys.<layer>` and `gatheredValues.<layer>` [B, G, K, blockTokens · C], and the same
 * with the new ones, `presentKeys.<layer>` and `presentValues.<layer>` [B, G, K · blockTokens, C]. Nobody reads them: they say
 * where the kernel works. A layer gathers only when its queries are there, so one stretch of memory may serve all layers, and
 * stays in the processor's cache; where both lie in the same memory the kernel adds the new rows in place.
 */
export function pagedAttention(model: LanguageModel, blockTokens: number, format: RowFormat): CachedAttention {
  const inputs: Record<string, Aval> = {
    last: { dtype: "int32", shape: ["B"] },
    total: { dtype: "int32", shape: [] },
  };
  for (const [i, spec] of model.caches.entries()) {
    if (!spec) continue;
    const { numKvHeads, headDim } = spec;
    for (const { suffix, dtype, size } of format.parts(paddedHeadDim(headDim))) {
      const pool: Aval = { dtype, shape: [`N${numKvHeads}`, blockTokens * size] };
      inputs[`poolKeys${suffix}.${i}`] = pool;
      inputs[`poolValues${suffix}.${i}`] = pool;
    }
    inputs[`blocks.${numKvHeads}`] = { dtype: "int64", shape: ["B", numKvHeads, "K"] };
  }
  return {
    inputs,
    attend: (request, layer, tensors) => {
      const { numKvHeads, headDim } = request;
      const blocks = after(tensors[`blocks.${numKvHeads}`]!, [request.q]);
      const width = paddedHeadDim(headDim);
      const shape = ["B", numKvHeads, mulDims(blockTokens, "K"), width];
      const [pastKeys, pastValues] = ["Keys", "Values"].map((name) => {
        const pools = format.parts(width).map(({ suffix }) => tensors[`pool${name}${suffix}.${layer}`]!);
        return format.gather(pools, blocks, width);
      });
      const { out, freshKeys, freshValues, keys, values } = attendOver(request, {
        keys: reshape(pastKeys!, shape),
        values: reshape(pastValues!, shape),
        last: tensors.last!,
        total: tensors.total!,
      });
      const outputs = {
        [`newKeys.${layer}`]: freshKeys,
        [`newValues.${layer}`]: freshValues,
        [`gatheredKeys.${layer}`]: pastKeys!,
        [`gatheredValues.${layer}`]: pastValues!,
        [`presentKeys.${layer}`]: keys,
        [`presentValues.${layer}`]: values,
      };
      return { out, outputs };
    },
  };
}
