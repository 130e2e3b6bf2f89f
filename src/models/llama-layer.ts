/** @file The layer of Llama's line under its names: RMSNorm, separate projections, rotation, gated network. */

import {
  type ActivationName,
  gatedMlp,
  type LayerKind,
  type MlpOptions,
  type Module,
  preNormLayer,
  type RotationNames,
  residualStd,
  rmsNormOf,
  selfAttention,
  separateProjections,
} from "../nn/index.js";
import type { Heads } from "./decoder.js";

/** Keys of config.json that a layer reads. */
export interface LayerKeys {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly initializer_range: number;
  readonly rms_norm_eps: number;
  readonly hidden_act?: ActivationName;
}

export interface LlamaLayerOptions {
  /** Bias of queries, keys and values; and of the output. */
  readonly qkvBias?: boolean;
  readonly outputBias?: boolean;
  readonly mlpBias?: boolean;
  /** RMSNorm over the dims of each query and key head (Qwen3). */
  readonly headNorms?: boolean;
  /** null: no rotation (NoPE). Default: the tables cos and sin. */
  readonly rotation?: RotationNames | null;
  readonly window?: number;
  /** In place of the gated network. */
  readonly mlp?: Module;
}

export const ROTATION: RotationNames = { cos: "cos", sin: "sin" };

/** Attention of Llama's line: `self_attn.q_proj` … */
export function llamaAttention(config: LayerKeys, heads: Heads, options: LlamaLayerOptions): Module {
  const { qkvBias = false, outputBias = false, headNorms = false, rotation = ROTATION, window } = options;
  const { hidden_size: hiddenSize, initializer_range: std, rms_norm_eps: epsilon } = config;
  const ofHead = { size: heads.headDim, epsilon };
  return selfAttention({
    ...heads,
    hiddenSize,
    projections: separateProjections("self_attn.", { ...heads, hiddenSize, bias: qkvBias, std }),
    output: "self_attn.o_proj",
    outputBias,
    outputStd: residualStd(std, config.num_hidden_layers),
    rotation,
    ...(headNorms && {
      queryNorm: rmsNormOf("self_attn.q_norm", ofHead),
      keyNorm: rmsNormOf("self_attn.k_norm", ofHead),
    }),
    ...(window !== undefined && { window }),
  });
}

/** x [B, T, D] → [B, T, D]. */
export function llamaLayer(config: LayerKeys, heads: Heads, options: LlamaLayerOptions = {}): LayerKind {
  const norm = { size: config.hidden_size, epsilon: config.rms_norm_eps };
  return preNormLayer({
    attentionNorm: rmsNormOf("input_layernorm", norm),
    attention: llamaAttention(config, heads, options),
    mlpNorm: rmsNormOf("post_attention_layernorm", norm),
    mlp: options.mlp ?? gatedMlp(mlpOptions(config, options.mlpBias ?? false)),
  });
}

/** Sizes and starts of a gated network. */
export function mlpOptions(config: LayerKeys, bias: boolean): MlpOptions {
  const std = config.initializer_range;
  return {
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    activation: config.hidden_act ?? "silu",
    bias,
    std,
    outputStd: residualStd(std, config.num_hidden_layers),
  };
}
