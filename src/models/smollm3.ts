/** @file The SmolLM3 family: Llama's layer, without rotation in every fourth one (NoPE, Yang et al. 2025, arXiv:2501.18795). */

import { z } from "zod";
import { ConfigError } from "../base/errors.js";
import { ropeFromConfig } from "../nn/index.js";
import { decoderKeys, headsOf, layerTypes, llamaLine, rotary, windowKeys } from "./decoder.js";
import { defineFamily } from "./family.js";
import { type LlamaLayerOptions, llamaLayer } from "./llama-layer.js";

const schema = z.looseObject({
  model_type: z.literal("smollm3").default("smollm3"),
  ...decoderKeys,
  ...windowKeys,
  num_key_value_heads: z.int().positive().nullable().default(4),
  max_position_embeddings: z.int().positive().default(32768),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  /** By layer: 1 rotates, 0 does not. */
  no_rope_layers: z.array(z.literal([0, 1])).nullish(),
  /** Used where the list is absent: every layer whose number this divides does not rotate. */
  no_rope_layer_interval: z.int().positive().default(4),
});

export const smollm3 = defineFamily("smollm3", schema, (config) => {
  const heads = headsOf("smollm3", config);
  const { num_hidden_layers: count, no_rope_layers: listed, no_rope_layer_interval: interval } = config;
  if (listed && listed.length !== count) {
    throw new ConfigError(
      `smollm3 config: no_rope_layers names ${listed.length} layers, num_hidden_layers is ${count}`,
    );
  }
  const rotates = (i: number): boolean => (listed ? listed[i] === 1 : (i + 1) % interval !== 0);
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  const window = config.use_sliding_window ? (config.sliding_window ?? undefined) : undefined;
  const types = layerTypes(
    "smollm3",
    { ...config, layer_types: config.use_sliding_window ? config.layer_types : null, sliding_window: window },
    (i) => window !== undefined && !rotates(i),
  );
  const options: LlamaLayerOptions = {
    qkvBias: config.attention_bias,
    outputBias: config.attention_bias,
    mlpBias: config.mlp_bias,
  };
  const sliding = window === undefined ? options : { ...options, window };
  return llamaLine({
    family: "smollm3",
    architecture: "SmolLM3ForCausalLM",
    config,
    heads,
    layers: types.map((type, i) => (rotates(i) ? type : `${type} without rotation`)),
    windows: { sliding: window, "sliding without rotation": window },
    kinds: {
      full: llamaLayer(config, heads, options),
      sliding: llamaLayer(config, heads, sliding),
      "full without rotation": llamaLayer(config, heads, { ...options, rotation: null }),
      "sliding without rotation": llamaLayer(config, heads, { ...sliding, rotation: null }),
    },
    ...rotary(rope),
  });
});
