/** @file What the Llama-like architectures share: names, the common keys, rotary settings. */

import { CheckpointError, UnsupportedError } from "../../../base/errors.js";
import type { JsonValue } from "../../json.js";
import type { GgufKeys } from "../keys.js";
import type { GgufValue } from "../metadata.js";
import type { ExtraTensors, HfConfig, NameRule } from "./architecture.js";
import { numberOf, optionalNumberOf, ropeOf } from "./config-values.js";

/** Names of Llama's tensors, which most families after it kept. */
export const decoderRules: readonly NameRule[] = [
  { gguf: "token_embd", hf: "model.embed_tokens" },
  { gguf: "output_norm", hf: "model.norm" },
  { gguf: "output", hf: "lm_head" },
  { gguf: "blk.{}.attn_norm", hf: "model.layers.{}.input_layernorm" },
  { gguf: "blk.{}.attn_q", hf: "model.layers.{}.self_attn.q_proj" },
  { gguf: "blk.{}.attn_k", hf: "model.layers.{}.self_attn.k_proj" },
  { gguf: "blk.{}.attn_v", hf: "model.layers.{}.self_attn.v_proj" },
  { gguf: "blk.{}.attn_output", hf: "model.layers.{}.self_attn.o_proj" },
  { gguf: "blk.{}.ffn_norm", hf: "model.layers.{}.post_attention_layernorm" },
  { gguf: "blk.{}.ffn_gate", hf: "model.layers.{}.mlp.gate_proj" },
  { gguf: "blk.{}.ffn_up", hf: "model.layers.{}.mlp.up_proj" },
  { gguf: "blk.{}.ffn_down", hf: "model.layers.{}.mlp.down_proj" },
];

/** Queries and keys normalised per head (Qwen3, Gemma 3). */
export const headNormRules: readonly NameRule[] = [
  { gguf: "blk.{}.attn_q_norm", hf: "model.layers.{}.self_attn.q_norm" },
  { gguf: "blk.{}.attn_k_norm", hf: "model.layers.{}.self_attn.k_norm" },
];

/** Rules in which those of `changed` stand for the ones with the same GGUF name. */
export function withRules(rules: readonly NameRule[], changed: readonly NameRule[]): readonly NameRule[] {
  const names = new Set(changed.map(({ gguf }) => gguf));
  return [...rules.filter(({ gguf }) => !names.has(gguf)), ...changed];
}

/** Buffers that old checkpoints store; their values follow from the config. */
export const rotaryBuffers = /rotary_emb\.(inv_freq|cos_cached|sin_cached)$/;

/** Config keys that all Llama-like architectures have. */
export function decoderConfig(modelType: string, keys: GgufKeys, extra: ExtraTensors): Record<string, JsonValue> {
  const heads = keys.number("attention.head_count");
  const hidden = keys.number("embedding_length");
  return {
    model_type: modelType,
    vocab_size: vocabSize(extra),
    hidden_size: hidden,
    intermediate_size: keys.number("feed_forward_length"),
    num_hidden_layers: keys.number("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: keys.optionalNumber("attention.head_count_kv") ?? heads,
    head_dim: keys.optionalNumber("attention.key_length") ?? hidden / heads,
    max_position_embeddings: keys.number("context_length"),
    rms_norm_eps: keys.number("attention.layer_norm_rms_epsilon"),
    rope_theta: keys.optionalNumber("rope.freq_base") ?? 10_000,
    tie_word_embeddings: extra.shapeOf("output.weight") === undefined,
    ...tokenIds(keys),
  };
}

export function vocabSize(extra: ExtraTensors): number {
  const rows = extra.shapeOf("token_embd.weight")?.[0];
  if (rows === undefined) throw new CheckpointError("GGUF: expected a tensor token_embd.weight, found none");
  return rows;
}

export function tokenIds(keys: GgufKeys): Record<string, JsonValue> {
  const ids = {
    bos_token_id: keys.tokenId("bos"),
    eos_token_id: keys.tokenId("eos"),
    pad_token_id: keys.tokenId("padding"),
  };
  return Object.fromEntries(Object.entries(ids).flatMap(([key, id]) => (id === undefined ? [] : [[key, id]])));
}

/** Linear and YaRN scaling, which GGUF keeps as keys. */
export function scalingConfig(keys: GgufKeys): Record<string, JsonValue> {
  const type = keys.optionalText("rope.scaling.type") ?? "none";
  if (type === "none") return {};
  const factor = keys.number("rope.scaling.factor");
  if (type === "linear") return { rope_scaling: { rope_type: "linear", factor } };
  if (type !== "yarn")
    throw new UnsupportedError(`GGUF: rope.scaling.type ${JSON.stringify(type)} is not read; linear and yarn are`);
  const original = keys.number("rope.scaling.original_context_length");
  return { rope_scaling: { rope_type: "yarn", factor, original_max_position_embeddings: original } };
}

/** The metadata of `decoderConfig`. */
export function decoderKeys(config: HfConfig, layerType?: string): Record<string, GgufValue> {
  const heads = numberOf(config, "num_attention_heads");
  const headDim = optionalNumberOf(config, "head_dim") ?? numberOf(config, "hidden_size") / heads;
  return {
    vocab_size: numberOf(config, "vocab_size"),
    context_length: numberOf(config, "max_position_embeddings"),
    embedding_length: numberOf(config, "hidden_size"),
    block_count: numberOf(config, "num_hidden_layers"),
    feed_forward_length: numberOf(config, "intermediate_size"),
    "attention.head_count": heads,
    "attention.head_count_kv": optionalNumberOf(config, "num_key_value_heads") ?? heads,
    "attention.key_length": headDim,
    "attention.value_length": headDim,
    "attention.layer_norm_rms_epsilon": numberOf(config, "rms_norm_eps"),
    "rope.dimension_count": headDim,
    "rope.freq_base": ropeOf(config, layerType).theta,
  };
}

/** The metadata of `scalingConfig`. @throws UnsupportedError for scalings that llama.cpp does not have. */
export function scalingKeys(config: HfConfig, layerType?: string): Record<string, GgufValue> {
  const { type, values } = ropeOf(config, layerType);
  if (type === "default") return {};
  if (type === "linear") return { "rope.scaling.type": "linear", "rope.scaling.factor": numberOf(values, "factor") };
  if (type !== "yarn") {
    throw new UnsupportedError(
      `writing GGUF: llama.cpp has no rope scaling ${JSON.stringify(type)} for ${String(config.model_type)}`,
    );
  }
  for (const key of ["attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"]) {
    const usual = { beta_fast: 32, beta_slow: 1 }[key];
    const value = values[key] ?? usual;
    if (value === usual) continue;
    throw new UnsupportedError(`writing GGUF: the YaRN setting ${key} ${JSON.stringify(value)} is not written`);
  }
  const original =
    optionalNumberOf(values, "original_max_position_embeddings") ?? numberOf(config, "max_position_embeddings");
  return {
    "rope.scaling.type": "yarn",
    "rope.scaling.factor": numberOf(values, "factor"),
    "rope.scaling.original_context_length": original,
  };
}
