/** @file The Qwen families: Qwen2 (arXiv:2407.10671) with biased projections, Qwen3 (arXiv:2505.09388) with normalised heads. */

import { z } from "zod";
import { type LanguageModel, ropeFromConfig } from "../nn/index.js";
import { decoderKeys, headsOf, layerTypes, llamaLine, rotary, windowKeys } from "./decoder.js";
import { defineFamily } from "./family.js";
import { type LlamaLayerOptions, llamaLayer } from "./llama-layer.js";

const qwenKeys = {
  ...decoderKeys,
  ...windowKeys,
  max_position_embeddings: z.int().positive().default(32768),
  /** Layers from this one on see a window, where `use_sliding_window` is set. */
  max_window_layers: z.int().nonnegative().default(28),
};

const qwen2Schema = z.looseObject({ model_type: z.literal("qwen2").default("qwen2"), ...qwenKeys });
const qwen3Schema = z.looseObject({
  model_type: z.literal("qwen3").default("qwen3"),
  ...qwenKeys,
  head_dim: z.int().positive().default(128),
  attention_bias: z.boolean().default(false),
});

type QwenConfig = z.output<typeof qwen2Schema> | z.output<typeof qwen3Schema>;

/** Qwen2's heads always divide the hidden size; its config has no head_dim. */
export const qwen2 = defineFamily("qwen2", qwen2Schema, (config) =>
  build("Qwen2ForCausalLM", { ...config, head_dim: undefined }, config, { qkvBias: true }),
);

export const qwen3 = defineFamily("qwen3", qwen3Schema, (config) =>
  build("Qwen3ForCausalLM", config, config, {
    qkvBias: config.attention_bias,
    outputBias: config.attention_bias,
    headNorms: true,
  }),
);

function build(
  architecture: string,
  headKeys: Parameters<typeof headsOf>[1],
  config: QwenConfig,
  options: LlamaLayerOptions,
): LanguageModel {
  const family = config.model_type;
  const heads = headsOf(family, headKeys);
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  const window = config.use_sliding_window ? (config.sliding_window ?? undefined) : undefined;
  const layers = layerTypes(
    family,
    { ...config, sliding_window: window },
    (i) => window !== undefined && i >= config.max_window_layers,
  );
  return llamaLine({
    family,
    architecture,
    config,
    heads,
    layers,
    windows: { sliding: window },
    kinds: {
      full: llamaLayer(config, heads, options),
      ...(window !== undefined && { sliding: llamaLayer(config, heads, { ...options, window }) }),
    },
    ...rotary(rope),
  });
}
