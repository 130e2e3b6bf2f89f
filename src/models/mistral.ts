/** @file The Mistral family (Jiang et al. 2023, arXiv:2310.06825): Llama's layer with a window in all layers. */

import { z } from "zod";
import { ropeFromConfig } from "../nn/index.js";
import { decoderKeys, headsOf, llamaLine, rotary } from "./decoder.js";
import { defineFamily } from "./family.js";
import { llamaLayer } from "./llama-layer.js";

const schema = z.looseObject({
  model_type: z.literal("mistral").default("mistral"),
  ...decoderKeys,
  num_key_value_heads: z.int().positive().nullable().default(8),
  max_position_embeddings: z.int().positive().default(131072),
  /** null: no window. Absent: the reference's default. */
  sliding_window: z.int().positive().nullable().default(4096),
});

export const mistral = defineFamily("mistral", schema, (config) => {
  const heads = headsOf("mistral", config);
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  const window = config.sliding_window ?? undefined;
  return llamaLine({
    family: "mistral",
    architecture: "MistralForCausalLM",
    config,
    heads,
    layers: new Array<string>(config.num_hidden_layers).fill("decoder"),
    windows: { decoder: window },
    kinds: { decoder: llamaLayer(config, heads, window === undefined ? {} : { window }) },
    ...rotary(rope),
  });
});
