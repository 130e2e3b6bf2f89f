/** @file The Llama family (Touvron et al. 2023, arXiv:2302.13971): RMSNorm, rotary positions, grouped queries, SwiGLU. */

import { z } from "zod";
import { type LanguageModel, ropeFromConfig } from "../nn/index.js";
import { decoderKeys, headsOf, llamaLine, rotary } from "./decoder.js";
import { defineFamily } from "./family.js";
import { llamaLayer } from "./llama-layer.js";

/** Keys of config.json as Hugging Face writes them. Keys that change nothing here are kept and written back. */
const schema = z.looseObject({
  model_type: z.literal("llama").default("llama"),
  ...decoderKeys,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

export type LlamaConfig = z.input<typeof schema>;

export const llamaFamily = defineFamily("llama", schema, (config) => {
  const heads = headsOf("llama", config);
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  const bias = config.attention_bias;
  return llamaLine({
    family: "llama",
    architecture: "LlamaForCausalLM",
    config,
    heads,
    layers: new Array<string>(config.num_hidden_layers).fill("decoder"),
    kinds: { decoder: llamaLayer(config, heads, { qkvBias: bias, outputBias: bias, mlpBias: config.mlp_bias }) },
    ...rotary(rope),
  });
});

/**
 * Builds the model that a config.json describes.
 * @throws ConfigError naming each key that is missing or out of range; UnsupportedError for an unknown `rope_type`.
 */
export function llama(config: LlamaConfig): LanguageModel {
  return llamaFamily(config);
}
