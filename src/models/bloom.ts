/** @file The BLOOM family (Le Scao et al. 2022, arXiv:2211.05100): positions by ALiBi alone, a norm after the embedding. */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import { broadcastTo, cast, concat, constant, reshape, slice, type Tensor } from "../graph/index.js";
import {
  type AttentionRequest,
  fusedProjection,
  type LayerContext,
  type LayerKind,
  layerNormOf,
  plainMlp,
  preNormLayer,
  residualStd,
  selfAttention,
  withDropout,
} from "../nn/index.js";
import { alibiSlopes } from "../nn/position/alibi.js";
import { decoder, type Heads, headsOf } from "./decoder.js";
import { defineFamily } from "./family.js";

const count = z.int().positive();

/**
 * Files name sizes as BLOOM's authors did (`n_embed`, `n_head`, `n_layer`) or as transformers does. Dropout of attention
 * probabilities is kept and written back, but not applied: the tiled attention keeps no probabilities to drop.
 */
const schema = z.looseObject({
  model_type: z.literal("bloom").default("bloom"),
  vocab_size: count,
  hidden_size: count.optional(),
  n_embed: count.optional(),
  n_layer: count.optional(),
  num_hidden_layers: count.optional(),
  n_head: count.optional(),
  num_attention_heads: count.optional(),
  /** Length of training; ALiBi sets no limit. */
  seq_length: count.default(2048),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  hidden_dropout: z.number().min(0).lt(1).default(0),
  apply_residual_connection_post_layernorm: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
});

type BloomConfig = z.output<typeof schema>;

const PREFIX = "transformer.";

export const bloom = defineFamily("bloom", schema, (config) => {
  if (config.apply_residual_connection_post_layernorm) {
    throw new UnsupportedError(
      "bloom config: apply_residual_connection_post_layernorm is not supported; no published BLOOM has it",
    );
  }
  const hiddenSize = either(config, "hidden_size", "n_embed");
  const numLayers = either(config, "n_layer", "num_hidden_layers");
  const heads = headsOf("bloom", {
    hidden_size: hiddenSize,
    num_attention_heads: either(config, "n_head", "num_attention_heads"),
  });
  const norm = { size: hiddenSize, epsilon: config.layer_norm_epsilon };
  const embeddingNorm = layerNormOf(`${PREFIX}word_embeddings_layernorm`, norm);
  return decoder({
    family: "bloom",
    architecture: "BloomForCausalLM",
    config,
    vocabSize: config.vocab_size,
    hiddenSize,
    maxPositions: config.seq_length,
    std: config.initializer_range,
    names: { embedding: `${PREFIX}word_embeddings.weight`, head: "lm_head.weight" },
    isTied: config.tie_word_embeddings,
    stem: { parameters: embeddingNorm.parameters, build: (scope, x) => embeddingNorm.forward(scope, x) },
    layers: Array.from({ length: numLayers }, (_, i) => ({
      kind: "decoder",
      prefix: `${PREFIX}h.${i}.`,
      cache: { numKvHeads: heads.numKvHeads, headDim: heads.headDim + 1 },
    })),
    kinds: { decoder: bloomLayer(config, heads, { hiddenSize, numLayers }) },
    finalNorm: layerNormOf(`${PREFIX}ln_f`, norm),
    tables: () => ({}),
    peftTargets: ["query_key_value"],
    basePrefix: PREFIX,
  });
});

/** A size that goes by two names. @throws ConfigError when it has neither, or two values. */
function either<K extends keyof BloomConfig>(config: BloomConfig, name: K, other: K): number {
  const [value, again] = [config[name] as number | undefined, config[other] as number | undefined];
  const size = value ?? again;
  if (size === undefined || (again !== undefined && again !== size)) {
    throw new ConfigError(`bloom config: expected one size as ${name} or ${other}, got ${value} and ${again}`);
  }
  return size;
}

function bloomLayer(
  config: BloomConfig,
  heads: Heads,
  { hiddenSize, numLayers }: { readonly hiddenSize: number; readonly numLayers: number },
): LayerKind {
  const { initializer_range: std, hidden_dropout: dropout } = config;
  const norm = { size: hiddenSize, epsilon: config.layer_norm_epsilon };
  const outputStd = residualStd(std, numLayers);
  const attention = selfAttention({
    ...heads,
    hiddenSize,
    projections: fusedProjection("self_attention.query_key_value", {
      ...heads,
      hiddenSize,
      bias: true,
      std,
      order: "heads",
    }),
    output: "self_attention.dense",
    outputBias: true,
    outputStd,
    rotation: null,
  });
  const mlp = plainMlp(
    { hiddenSize, intermediateSize: 4 * hiddenSize, activation: "gelu_pytorch_tanh", bias: true, std, outputStd },
    { in: "mlp.dense_h_to_4h", out: "mlp.dense_4h_to_h" },
  );
  const layer = preNormLayer({
    attentionNorm: layerNormOf("input_layernorm", norm),
    attention: withDropout(attention, dropout),
    mlpNorm: layerNormOf("post_attention_layernorm", norm),
    mlp: withDropout(mlp, dropout),
  });
  return {
    ...layer,
    build: (scope, x, context) =>
      layer.build(scope, x, { ...context, attend: (request) => attendWithAlibi(request, context) }),
  };
}

/**
 * ALiBi as one more dim of each head: queries have the slope there and keys their position, so that the product adds
 * slope · key to the score. The position lies in the cache with its key, and every kernel of attention computes it.
 */
function attendWithAlibi(request: AttentionRequest, { attend, positions }: LayerContext): Tensor {
  const { q, k, v, numHeads, numKvHeads, headDim, scale } = request;
  const [batch, time] = q.shape;
  const wide = headDim + 1;
  const byHead = (x: Tensor, heads: number, size: number): Tensor => reshape(x, [batch!, time!, heads, size]);
  const extended = (x: Tensor, heads: number, values: Tensor): Tensor => {
    const all = concat([byHead(x, heads, headDim), broadcastTo(values, [batch!, time!, heads, 1])], 3);
    return reshape(all, [batch!, time!, heads * wide]);
  };
  const row = (values: readonly number[]): Tensor =>
    constant({ dtype: "float32", shape: [1, 1, values.length, 1], data: Float32Array.from(values) });
  const attended = attend({
    ...request,
    headDim: wide,
    q: extended(q, numHeads, row(alibiSlopes(numHeads).map((slope) => slope / scale))),
    k: extended(k, numKvHeads, reshape(cast(positions, "float32"), [batch!, time!, 1, 1])),
    v: extended(v, numKvHeads, row([0])),
  });
  return reshape(slice(byHead(attended, numHeads, wide), 3, 0, headDim), q.shape);
}
