/** @file Families with a mixture of experts in Llama's layer: Mixtral (arXiv:2401.04088) and Qwen3-MoE (arXiv:2505.09388). */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import { type GatedNames, type Module, mixtureOfExperts, ropeFromConfig } from "../nn/index.js";
import { decoderKeys, headsOf, llamaLine, rotary, windowKeys } from "./decoder.js";
import { defineFamily } from "./family.js";
import { type LayerKeys, llamaLayer, mlpOptions } from "./llama-layer.js";

/** Adapters go to the attention: experts see few tokens each. */
const ATTENTION_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj"] as const;

const routerKeys = {
  num_experts_per_tok: z.int().positive(),
  /** Weight of the load-balancing loss. Kept and written back: the training plans do not add that loss. */
  router_aux_loss_coef: z.number().nonnegative().default(0.001),
  max_position_embeddings: z.int().positive().default(131072),
};

interface Experts {
  readonly numExperts: number;
  readonly numSelected: number;
  readonly normalize: boolean;
  readonly intermediateSize: number;
  /** Prefix of router and experts. */
  readonly prefix: string;
  readonly names: GatedNames;
}

function experts(family: string, config: LayerKeys, options: Experts): Module {
  const { numExperts, numSelected, prefix, names } = options;
  if (numSelected > numExperts)
    throw new ConfigError(`${family} config: ${numSelected} experts a token of ${numExperts} in all`);
  const of = (i: number, name: string): string => `${prefix}experts.${i}.${name}`;
  return mixtureOfExperts({
    ...mlpOptions(config, false),
    ...options,
    router: `${prefix}gate.weight`,
    expert: (i) => ({ gate: of(i, names.gate), up: of(i, names.up), down: of(i, names.down) }),
  });
}

const mixtralSchema = z.looseObject({
  model_type: z.literal("mixtral").default("mixtral"),
  ...decoderKeys,
  ...routerKeys,
  num_key_value_heads: z.int().positive().nullable().default(8),
  rms_norm_eps: z.number().positive().default(1e-5),
  num_experts_per_tok: z.int().positive().default(2),
  num_local_experts: z.int().positive().default(8),
  sliding_window: z.int().positive().nullable().default(null),
  router_jitter_noise: z.number().nonnegative().default(0),
});

export const mixtral = defineFamily("mixtral", mixtralSchema, (config) => {
  if (config.router_jitter_noise > 0) {
    throw new UnsupportedError("mixtral config: router_jitter_noise is not supported; set it to 0");
  }
  const heads = headsOf("mixtral", config);
  const rope = ropeFromConfig(config, {
    headDim: heads.headDim,
    maxPositions: config.max_position_embeddings,
    theta: 1_000_000,
  });
  const window = config.sliding_window ?? undefined;
  const mlp = experts("mixtral", config, {
    numExperts: config.num_local_experts,
    numSelected: config.num_experts_per_tok,
    normalize: true,
    intermediateSize: config.intermediate_size,
    prefix: "block_sparse_moe.",
    names: { gate: "w1", up: "w3", down: "w2" },
  });
  return llamaLine({
    family: "mixtral",
    architecture: "MixtralForCausalLM",
    config,
    heads,
    layers: new Array<string>(config.num_hidden_layers).fill("sparse"),
    windows: { sparse: window },
    kinds: { sparse: llamaLayer(config, heads, { mlp, ...(window !== undefined && { window }) }) },
    ...rotary(rope),
    peftTargets: ATTENTION_TARGETS,
  });
});

const qwen3MoeSchema = z.looseObject({
  model_type: z.literal("qwen3_moe").default("qwen3_moe"),
  ...decoderKeys,
  ...routerKeys,
  use_sliding_window: windowKeys.use_sliding_window,
  sliding_window: windowKeys.sliding_window,
  max_position_embeddings: z.int().positive().default(32768),
  attention_bias: z.boolean().default(false),
  num_experts: z.int().positive().optional(),
  /** Name of num_experts in files of transformers 5. */
  num_local_experts: z.int().positive().optional(),
  moe_intermediate_size: z.int().positive(),
  norm_topk_prob: z.boolean().default(false),
  /** Layers whose number this divides have experts, but for those listed. */
  decoder_sparse_step: z.int().positive().default(1),
  mlp_only_layers: z.array(z.int().nonnegative()).nullish(),
});

export const qwen3Moe = defineFamily("qwen3_moe", qwen3MoeSchema, (config) => {
  const heads = headsOf("qwen3_moe", config);
  const numExperts = config.num_experts ?? config.num_local_experts;
  if (numExperts === undefined)
    throw new ConfigError("qwen3_moe config: num_experts (or num_local_experts) is missing");
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  const window = config.use_sliding_window ? (config.sliding_window ?? undefined) : undefined;
  const bias = config.attention_bias;
  const options = {
    qkvBias: bias,
    outputBias: bias,
    headNorms: true,
    ...(window !== undefined && { window }),
  };
  const mlp = experts("qwen3_moe", config, {
    numExperts,
    numSelected: config.num_experts_per_tok,
    normalize: config.norm_topk_prob,
    intermediateSize: config.moe_intermediate_size,
    prefix: "mlp.",
    names: { gate: "gate_proj", up: "up_proj", down: "down_proj" },
  });
  const isSparse = (i: number): boolean =>
    !config.mlp_only_layers?.includes(i) && (i + 1) % config.decoder_sparse_step === 0;
  return llamaLine({
    family: "qwen3_moe",
    architecture: "Qwen3MoeForCausalLM",
    config,
    heads,
    layers: Array.from({ length: config.num_hidden_layers }, (_, i) => (isSparse(i) ? "sparse" : "dense")),
    windows: { sparse: window, dense: window },
    kinds: { sparse: llamaLayer(config, heads, { ...options, mlp }), dense: llamaLayer(config, heads, options) },
    ...rotary(rope),
    peftTargets: ATTENTION_TARGETS,
  });
});
