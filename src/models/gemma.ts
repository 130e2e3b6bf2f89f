/** @file The Gemma families: Gemma 2 (arXiv:2408.00118) with capped scores, Gemma 3 (arXiv:2503.19786) with two rotations. */

import { z } from "zod";
import { UnsupportedError } from "../base/errors.js";
import { mul } from "../graph/index.js";
import {
  activationNames,
  followedBy,
  gatedMlp,
  type LanguageModel,
  type LayerKind,
  preNormLayer,
  type RopeParameters,
  type RotationNames,
  residualStd,
  rmsNormOf,
  ropeFromConfig,
  selfAttention,
  separateProjections,
} from "../nn/index.js";
import { decoderKeys, type Heads, headsOf, layerTypes, llamaLine, rotary } from "./decoder.js";
import { defineFamily } from "./family.js";
import { mlpOptions, ROTATION } from "./llama-layer.js";

const gemmaKeys = {
  ...decoderKeys,
  head_dim: z.int().positive().default(256),
  /** Not read: the reference takes hidden_activation. */
  hidden_act: z.string().nullish(),
  hidden_activation: z.enum(activationNames).default("gelu_pytorch_tanh"),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: z.int().positive().nullable().default(4096),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
};

const gemma2Schema = z.looseObject({
  model_type: z.literal("gemma2").default("gemma2"),
  ...gemmaKeys,
  max_position_embeddings: z.int().positive().default(8192),
  attn_logit_softcapping: z.number().positive().nullable().default(50),
  final_logit_softcapping: z.number().positive().nullable().default(30),
});

const ropeDict = z.looseObject({ rope_type: z.string().optional() });

const gemma3Schema = z.looseObject({
  model_type: z.literal("gemma3_text").default("gemma3_text"),
  ...gemmaKeys,
  max_position_embeddings: z.int().positive().default(131072),
  /** The reference reads no capping of scores in Gemma 3. */
  attn_logit_softcapping: z.null().default(null),
  final_logit_softcapping: z.number().positive().nullable().default(null),
  /** Every so many layers one sees the whole context. */
  sliding_window_pattern: z.int().positive().optional(),
  _sliding_window_pattern: z.int().positive().optional(),
  /** Base of the rotation in windows, in files before transformers 5. */
  rope_local_base_freq: z.number().positive().default(10_000),
  rope_parameters: z
    .looseObject({ full_attention: ropeDict.nullish(), sliding_attention: ropeDict.nullish() })
    .nullish(),
});

type GemmaConfig = z.output<typeof gemma2Schema> | z.output<typeof gemma3Schema>;

/** Rotation in windows, where it differs from the other. */
const LOCAL: RotationNames = { cos: "localCos", sin: "localSin" };

export const gemma2 = defineFamily("gemma2", gemma2Schema, (config) => {
  const heads = headsOf("gemma2", config);
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  return build({
    architecture: "Gemma2ForCausalLM",
    config,
    heads,
    headNorms: false,
    localRotation: ROTATION,
    layers: layerTypes("gemma2", config, (i) => i % 2 === 0),
    ...rotary(rope),
  });
});

export const gemma3 = defineFamily("gemma3_text", gemma3Schema, (config) => {
  const heads = headsOf("gemma3_text", config);
  const { rope_parameters: nested, ...rest } = config;
  const options = { headDim: heads.headDim, maxPositions: config.max_position_embeddings };
  const full = { ...rest, rope_parameters: checkedRope(nested?.full_attention) };
  const whole = ropeFromConfig(full, { ...options, theta: 1_000_000 });
  const sliding = { rope_parameters: checkedRope(nested?.sliding_attention) };
  const local = ropeFromConfig(sliding, { ...options, theta: config.rope_local_base_freq });
  const pattern = config.sliding_window_pattern ?? config._sliding_window_pattern ?? 6;
  return build({
    architecture: "Gemma3ForCausalLM",
    config,
    heads,
    headNorms: true,
    localRotation: LOCAL,
    layers: layerTypes("gemma3_text", config, (i) => (i + 1) % pattern !== 0),
    ...rotary(whole),
    tables: (length) => {
      const { cos: localCos, sin: localSin } = local.tables(length);
      return { ...whole.tables(length), localCos, localSin };
    },
  });
});

/** A looser schema has let it through; the rotary keys are checked where they are read. */
function checkedRope(parameters: Readonly<Record<string, unknown>> | null | undefined): RopeParameters | null {
  return parameters ? { ...parameters } : null;
}

interface GemmaParts {
  readonly architecture: string;
  readonly config: GemmaConfig;
  readonly heads: Heads;
  readonly headNorms: boolean;
  readonly localRotation: RotationNames;
  readonly layers: readonly string[];
  readonly tables: LanguageModel["tables"];
  readonly tablesChangeAfter?: number;
}

function build(parts: GemmaParts): LanguageModel {
  const { config, layers } = parts;
  const family = config.model_type;
  if (config.use_bidirectional_attention) {
    throw new UnsupportedError(`${family} config: use_bidirectional_attention is not supported; this model is causal`);
  }
  const window = config.sliding_window ?? undefined;
  const softcap = config.final_logit_softcapping;
  return llamaLine({
    family,
    architecture: parts.architecture,
    config,
    heads: parts.heads,
    layers,
    windows: { sliding: window },
    stem: scaledEmbedding(Math.sqrt(config.hidden_size)),
    kinds: { full: gemmaLayer(parts, ROTATION), sliding: gemmaLayer(parts, parts.localRotation, window) },
    finalNorm: rmsNormOf("model.norm", { size: config.hidden_size, epsilon: config.rms_norm_eps, isOffset: true }),
    ...(softcap !== null && { logitSoftcap: softcap }),
    tables: parts.tables,
    ...(parts.tablesChangeAfter !== undefined && { tablesChangeAfter: parts.tablesChangeAfter }),
  });
}

const scaledEmbedding = (factor: number): LayerKind => ({
  parameters: [],
  build: (_scope, x) => mul(x, factor),
});

/** Attention and network, each normalised before and after. */
function gemmaLayer({ config, heads, headNorms }: GemmaParts, rotation: RotationNames, window?: number): LayerKind {
  const { hidden_size: hiddenSize, rms_norm_eps: epsilon, initializer_range: std, attention_bias: bias } = config;
  const norm = (name: string) => rmsNormOf(name, { size: hiddenSize, epsilon, isOffset: true });
  const ofHead = { size: heads.headDim, epsilon, isOffset: true };
  const attention = selfAttention({
    ...heads,
    hiddenSize,
    projections: separateProjections("self_attn.", { ...heads, hiddenSize, bias, std }),
    output: "self_attn.o_proj",
    outputBias: bias,
    outputStd: residualStd(std, config.num_hidden_layers),
    rotation,
    scale: config.query_pre_attn_scalar ** -0.5,
    ...(headNorms && {
      queryNorm: rmsNormOf("self_attn.q_norm", ofHead),
      keyNorm: rmsNormOf("self_attn.k_norm", ofHead),
    }),
    ...(window !== undefined && { window }),
    ...(config.attn_logit_softcapping !== null && { softcap: config.attn_logit_softcapping }),
  });
  return preNormLayer({
    attentionNorm: norm("input_layernorm"),
    attention: followedBy(attention, norm("post_attention_layernorm")),
    mlpNorm: norm("pre_feedforward_layernorm"),
    mlp: followedBy(
      gatedMlp(mlpOptions({ ...config, hidden_act: config.hidden_activation }, false)),
      norm("post_feedforward_layernorm"),
    ),
  });
}
