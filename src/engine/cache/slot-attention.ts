/** @file Attention over slots: a stretch of rows per sequence, to which the kernel itself adds the new ones. */

import type { Aval, Dim } from "../../graph/index.js";
import type { CacheSpec, LanguageModel } from "../../nn/index.js";
import type { CachedAttention } from "../step-graph.js";
import { attendOver, paddedHeadDim } from "./kernel-attention.js";

/**
 * Fed `keys.<layer>` and `values.<layer>` [B, G, M, C], given back as `newKeys.<layer>` and `newValues.<layer>`, which may
 * be written over them. Layers whose `groupOf` is the same have the same rows in use: they share M and are fed
 * `last<group>` [B] and `total<group>` [] int32.
 */
export function slotAttention(model: LanguageModel, groupOf: (spec: CacheSpec) => string): CachedAttention {
  const inputs: Record<string, Aval> = {};
  for (const [i, spec] of model.caches.entries()) {
    if (!spec) continue;
    const group = groupOf(spec);
    const shape: Dim[] = ["B", spec.numKvHeads, `M${group}`, paddedHeadDim(spec.headDim)];
    inputs[`keys.${i}`] = { dtype: "float32", shape };
    inputs[`values.${i}`] = { dtype: "float32", shape };
    inputs[`last${group}`] = { dtype: "int32", shape: ["B"] };
    inputs[`total${group}`] = { dtype: "int32", shape: [] };
  }
  return {
    inputs,
    attend: (request, layer, tensors) => {
      const group = groupOf(model.caches[layer]!);
      const { out, keys, values } = attendOver(request, {
        keys: tensors[`keys.${layer}`]!,
        values: tensors[`values.${layer}`]!,
        last: tensors[`last${group}`]!,
        total: tensors[`total${group}`]!,
      });
      return { out, outputs: { [`newKeys.${layer}`]: keys, [`newValues.${layer}`]: values } };
    },
  };
}
