/** @file The GPT-NeoX family (Black et al. 2022, arXiv:2204.06745; Pythia): partial rotation, parallel attention and network. */

import { z } from "zod";
import {
  activationNames,
  fusedProjection,
  type LayerKind,
  layerNormOf,
  parallelLayer,
  plainMlp,
  preNormLayer,
  residualStd,
  ropeFromConfig,
  ropeKeys,
  selfAttention,
  withDropout,
} from "../nn/index.js";
import { decoder, type Heads, headsOf, rotary } from "./decoder.js";
import { defineFamily } from "./family.js";
import { ROTATION } from "./llama-layer.js";

const schema = z.looseObject({
  model_type: z.literal("gpt_neox").default("gpt_neox"),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  max_position_embeddings: z.int().positive().default(2048),
  hidden_act: z.enum(activationNames).default("gelu"),
  hidden_dropout: z.number().min(0).lt(1).default(0),
  initializer_range: z.number().positive().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-5),
  tie_word_embeddings: z.boolean().default(false),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  ...ropeKeys,
  /** Rotated share of a head and base, in files before transformers 5. */
  rotary_pct: z.number().positive().max(1).default(0.25),
  rotary_emb_base: z.number().positive().default(10_000),
});

type NeoxConfig = z.output<typeof schema>;

const PREFIX = "gpt_neox.";

export const gptNeox = defineFamily("gpt_neox", schema, (config) => {
  const { hidden_size: hiddenSize, layer_norm_eps: epsilon, max_position_embeddings: maxPositions } = config;
  const heads = headsOf("gpt_neox", config);
  const rope = ropeFromConfig(config, {
    headDim: heads.headDim,
    maxPositions,
    theta: config.rotary_emb_base,
    partial: config.rotary_pct,
  });
  return decoder({
    family: "gpt_neox",
    architecture: "GPTNeoXForCausalLM",
    config,
    vocabSize: config.vocab_size,
    hiddenSize,
    maxPositions,
    std: config.initializer_range,
    names: { embedding: `${PREFIX}embed_in.weight`, head: "embed_out.weight" },
    isTied: config.tie_word_embeddings,
    ...(config.hidden_dropout > 0 && { stem: droppedEmbedding(config.hidden_dropout) }),
    layers: Array.from({ length: config.num_hidden_layers }, (_, i) => ({
      kind: "decoder",
      prefix: `${PREFIX}layers.${i}.`,
      cache: { numKvHeads: heads.numKvHeads, headDim: heads.headDim },
    })),
    kinds: { decoder: neoxLayer(config, heads) },
    finalNorm: layerNormOf(`${PREFIX}final_layer_norm`, { size: hiddenSize, epsilon }),
    ...rotary(rope),
    peftTargets: ["query_key_value"],
    basePrefix: PREFIX,
  });
});

const droppedEmbedding = (rate: number): LayerKind => ({
  parameters: [],
  build: (_scope, x, context) => context.dropout(x, rate),
});

function neoxLayer(config: NeoxConfig, heads: Heads): LayerKind {
  const { hidden_size: hiddenSize, initializer_range: std, layer_norm_eps: epsilon, attention_bias: bias } = config;
  const outputStd = residualStd(std, config.num_hidden_layers);
  const attention = selfAttention({
    ...heads,
    hiddenSize,
    projections: fusedProjection("attention.query_key_value", { ...heads, hiddenSize, bias, std, order: "heads" }),
    output: "attention.dense",
    outputBias: bias,
    outputStd,
    rotation: ROTATION,
  });
  const mlp = plainMlp(
    {
      hiddenSize,
      intermediateSize: config.intermediate_size,
      activation: config.hidden_act,
      bias: true,
      std,
      outputStd,
    },
    { in: "mlp.dense_h_to_4h", out: "mlp.dense_4h_to_h" },
  );
  const parts = {
    attentionNorm: layerNormOf("input_layernorm", { size: hiddenSize, epsilon }),
    attention: withDropout(attention, config.hidden_dropout),
    mlpNorm: layerNormOf("post_attention_layernorm", { size: hiddenSize, epsilon }),
    mlp: withDropout(mlp, config.hidden_dropout),
  };
  return config.use_parallel_residual ? parallelLayer(parts) : preNormLayer(parts);
}
