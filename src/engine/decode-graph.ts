/** @file A whole model over new tokens and a cache as one graph: what generation runs. */

import {
  type Aval,
  broadcastTo,
  concat,
  type Graph,
  graph,
  groupedQueryAttention,
  reshape,
  scalar,
  slice,
  type Tensor,
} from "../graph/index.js";
import type { AttentionRequest, LanguageModel } from "../nn/index.js";
import type { Weights } from "./weights.js";

/** The attention kernel takes head sizes that are multiples of this; smaller heads are padded with zeros. */
const HEAD_MULTIPLE = 8;

export const paddedHeadDim = (headDim: number): number => Math.ceil(headDim / HEAD_MULTIPLE) * HEAD_MULTIPLE;

/**
 * x [1, S, D] (embedded new tokens), positions [1, S], `last` [1] and `total` [] int32 (position of the last new token
 * and length so far), `keys.<layer>` and `values.<layer>` [1, G, M, C] → logits [V] of the last token, and the caches
 * as `newKeys.<layer>` and `newValues.<layer>`, which may be written over the ones fed.
 */
export function decodeGraph(model: LanguageModel, weights: Weights): Graph {
  const inputs: Record<string, Aval> = {
    x: { dtype: "float32", shape: [1, "S", model.hiddenSize] },
    positions: { dtype: "int64", shape: [1, "S"] },
    last: { dtype: "int32", shape: [1] },
    total: { dtype: "int32", shape: [] },
  };
  for (const [name, { shape }] of Object.entries(model.tables(1))) {
    inputs[`table.${name}`] = { dtype: "float32", shape: ["M", ...shape.slice(1)] };
  }
  for (const [i, { numKvHeads, headDim }] of model.caches.entries()) {
    const cache: Aval = { dtype: "float32", shape: [1, numKvHeads, "M", paddedHeadDim(headDim)] };
    inputs[`keys.${i}`] = cache;
    inputs[`values.${i}`] = cache;
  }
  return graph("decode", inputs, (tensors) => {
    const tables = Object.fromEntries(Object.keys(model.tables(1)).map((name) => [name, tensors[`table.${name}`]!]));
    const caches: Record<string, Tensor> = {};
    let x = tensors.x!;
    for (const [i, { kind, prefix }] of model.layers.entries()) {
      x = model.kinds[kind]!.build(weights.scope(prefix), x, {
        positions: tensors.positions!,
        tables,
        dropout: (h) => h,
        attend: (request) => {
          const past = [tensors[`keys.${i}`]!, tensors[`values.${i}`]!] as const;
          const [out, keys, values] = attend(request, past, tensors.last!, tensors.total!);
          caches[`newKeys.${i}`] = keys;
          caches[`newValues.${i}`] = values;
          return out;
        },
      });
    }
    const lastToken = slice(x, 1, "S-1", "S");
    const scope = weights.scope("");
    const name = model.head.weight.name.replace(/\.weight$/, "");
    const logits = scope.linear(name).forward(model.head.normalize(scope, lastToken));
    return { logits: reshape(logits, [model.vocabSize]), ...caches };
  });
}

function attend(
  { q, k, v, numHeads, numKvHeads, headDim, scale, window = -1 }: AttentionRequest,
  [keys, values]: readonly [Tensor, Tensor],
  last: Tensor,
  total: Tensor,
): readonly [Tensor, Tensor, Tensor] {
  const size = paddedHeadDim(headDim);
  const padded = (x: Tensor, heads: number): Tensor => resizeHeads(x, heads, headDim, size);
  const [out, newKeys, newValues] = groupedQueryAttention(
    [padded(q, numHeads), padded(k, numKvHeads), padded(v, numKvHeads), keys, values, last, total],
    { numHeads, numKvHeads, scale, window },
  );
  return [resizeHeads(out, numHeads, size, headDim), newKeys, newValues];
}

/** [1, S, heads · from] → [1, S, heads · to]: each head cut, or filled up with zeros. */
function resizeHeads(x: Tensor, heads: number, from: number, to: number): Tensor {
  if (from === to) return x;
  const apart = reshape(x, [1, "S", heads, from]);
  const resized =
    to < from ? slice(apart, 3, 0, to) : concat([apart, broadcastTo(scalar(0), [1, "S", heads, to - from])], 3);
  return reshape(resized, [1, "S", heads * to]);
}
