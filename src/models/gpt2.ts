/** @file The GPT-2 family (Radford et al. 2019): learned positions, layer norms before each part, weights stored [in, out]. */

import { z } from "zod";
import { UnsupportedError } from "../base/errors.js";
import { add } from "../graph/index.js";
import {
  activationNames,
  fusedProjection,
  type LayerKind,
  layerNormOf,
  plainMlp,
  preNormLayer,
  residualStd,
  selfAttention,
  withDropout,
} from "../nn/index.js";
import { learnedPositions } from "../nn/position/learned.js";
import { decoder, type Heads, headsOf } from "./decoder.js";
import { defineFamily } from "./family.js";

const rate = z.number().min(0).lt(1).default(0.1);

/**
 * Dropout of embeddings and residuals acts while training; that of attention probabilities (`attn_pdrop`) is kept and
 * written back, but not applied: the tiled attention keeps no probabilities to drop.
 */
const schema = z.looseObject({
  model_type: z.literal("gpt2").default("gpt2"),
  vocab_size: z.int().positive(),
  n_embd: z.int().positive(),
  n_layer: z.int().positive(),
  n_head: z.int().positive(),
  n_positions: z.int().positive().default(1024),
  n_inner: z.int().positive().nullish(),
  activation_function: z.enum(activationNames).default("gelu_new"),
  resid_pdrop: rate,
  embd_pdrop: rate,
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
});

type Gpt2Config = z.output<typeof schema>;
export type Gpt2Input = z.input<typeof schema>;

const PREFIX = "transformer.";

export const gpt2 = defineFamily("gpt2", schema, (config) => {
  const { n_embd: hiddenSize, n_layer: count, layer_norm_epsilon: epsilon } = config;
  if (config.add_cross_attention) {
    throw new UnsupportedError("gpt2 config: add_cross_attention is not supported; this model has no encoder");
  }
  const heads = headsOf("gpt2", { hidden_size: hiddenSize, num_attention_heads: config.n_head });
  // only the scale of the scores differs, so layers are of one kind unless it depends on the layer
  const kindOf = (i: number): string => (config.scale_attn_by_inverse_layer_idx ? `decoder ${i}` : "decoder");
  return decoder({
    family: "gpt2",
    architecture: "GPT2LMHeadModel",
    config,
    vocabSize: config.vocab_size,
    hiddenSize,
    maxPositions: config.n_positions,
    hasFixedPositions: true,
    std: config.initializer_range,
    names: { embedding: `${PREFIX}wte.weight`, head: "lm_head.weight" },
    isTied: config.tie_word_embeddings,
    stem: positionsOf(config),
    layers: Array.from({ length: count }, (_, i) => ({
      kind: kindOf(i),
      prefix: `${PREFIX}h.${i}.`,
      cache: { numKvHeads: heads.numKvHeads, headDim: heads.headDim },
    })),
    kinds: Object.fromEntries(Array.from({ length: count }, (_, i) => [kindOf(i), gpt2Layer(config, heads, i)])),
    finalNorm: layerNormOf(`${PREFIX}ln_f`, { size: hiddenSize, epsilon }),
    tables: () => ({}),
    peftTargets: ["c_attn"],
    basePrefix: PREFIX,
  });
});

/** x + a learned vector for each position. */
function positionsOf({ n_positions, n_embd, initializer_range: std, embd_pdrop }: Gpt2Config): LayerKind {
  const { parameter, embed } = learnedPositions(`${PREFIX}wpe.weight`, n_positions, n_embd, std);
  return {
    parameters: [{ ...parameter, matrix: "plain" }],
    build: (scope, x, context) => context.dropout(add(x, embed(scope, context.positions)), embd_pdrop),
  };
}

function gpt2Layer(config: Gpt2Config, heads: Heads, index: number): LayerKind {
  const { n_embd: hiddenSize, initializer_range: std, layer_norm_epsilon: epsilon } = config;
  const outputStd = residualStd(std, config.n_layer);
  const scale = config.scale_attn_weights ? heads.headDim ** -0.5 : 1;
  const attention = selfAttention({
    ...heads,
    hiddenSize,
    projections: fusedProjection("attn.c_attn", {
      ...heads,
      hiddenSize,
      bias: true,
      std,
      order: "blocks",
      isTransposed: true,
    }),
    output: "attn.c_proj",
    outputBias: true,
    outputStd,
    isTransposed: true,
    rotation: null,
    scale: config.scale_attn_by_inverse_layer_idx ? scale / (index + 1) : scale,
  });
  const mlp = plainMlp(
    {
      hiddenSize,
      intermediateSize: config.n_inner ?? 4 * hiddenSize,
      activation: config.activation_function,
      bias: true,
      std,
      outputStd,
      isTransposed: true,
    },
    { in: "mlp.c_fc", out: "mlp.c_proj" },
  );
  return preNormLayer({
    attentionNorm: layerNormOf("ln_1", { size: hiddenSize, epsilon }),
    attention: withDropout(attention, config.resid_pdrop),
    mlpNorm: layerNormOf("ln_2", { size: hiddenSize, epsilon }),
    mlp: withDropout(mlp, config.resid_pdrop),
  });
}
