/** @file llama.cpp's architecture `phi3`, with longrope factors as tensors. */

import { ConfigError } from "../../../base/errors.js";
import { type HostTensor, hostTensor } from "../../../base/host-tensor.js";
import type { Architecture, HfConfig, NameRule } from "./architecture.js";
import { expectValue, numberOf, optionalNumberOf, ropeOf } from "./config-values.js";
import { decoderConfig, decoderKeys, decoderRules, rotaryBuffers, withRules } from "./decoder.js";

const longName = "rope_factors_long.weight";
const shortName = "rope_factors_short.weight";

/** Queries, keys and values are one matrix, and so are gate and up. */
const fused: readonly NameRule[] = [
  { gguf: "blk.{}.attn_qkv", hf: "model.layers.{}.self_attn.qkv_proj" },
  { gguf: "blk.{}.ffn_up", hf: "model.layers.{}.mlp.gate_up_proj" },
];
const split = /\.(attn_[qkv]|ffn_gate)$/;

export const phi3: Architecture = {
  name: "phi3",
  modelTypes: ["phi3"],
  rules: withRules(decoderRules, fused).filter(({ gguf }) => !split.test(gguf)),
  omitted: rotaryBuffers,
  extra: [longName, shortName],
  async toConfig(keys, extra) {
    const config = decoderConfig("phi3", keys, extra);
    const headDim = keys.number("embedding_length") / keys.number("attention.head_count");
    const original = keys.optionalNumber("rope.scaling.original_context_length") ?? keys.number("context_length");
    const rotated = keys.optionalNumber("rope.dimension_count") ?? headDim;
    return {
      ...config,
      head_dim: headDim,
      partial_rotary_factor: rotated / headDim,
      sliding_window: keys.optionalNumber("attention.sliding_window") ?? null,
      original_max_position_embeddings: original,
      ...(extra.names.includes(longName) && {
        rope_scaling: {
          rope_type: "longrope",
          long_factor: [...(await extra.read(longName))],
          short_factor: [...(await extra.read(shortName))],
        },
      }),
    };
  },
  fromConfig(config) {
    expectValue(config, "hidden_act", ["silu"]);
    const { type, values } = ropeOf(config);
    const headDim = numberOf(config, "hidden_size") / numberOf(config, "num_attention_heads");
    const share =
      optionalNumberOf(values, "partial_rotary_factor") ?? optionalNumberOf(config, "partial_rotary_factor") ?? 1;
    const window = optionalNumberOf(config, "sliding_window");
    const original = originalLength(config, values);
    const keys = {
      ...decoderKeys({ ...config, head_dim: headDim }),
      "rope.dimension_count": Math.floor(headDim * share),
      "rope.scaling.original_context_length": original,
      ...(window !== undefined && { "attention.sliding_window": window }),
    };
    if (type === "default") return { keys };
    expectValue({ ...config, rope_type: type }, "rope_type", ["longrope", "su"]);
    // attention is scaled by this, as in the paper: sqrt(1 + ln(s) / ln(original length))
    const scale = numberOf(config, "max_position_embeddings") / original;
    const attention = scale <= 1 ? 1 : Math.sqrt(1 + Math.log(scale) / Math.log(original));
    return {
      keys: { ...keys, "rope.scaling.attn_factor": attention },
      extra: new Map([
        [longName, factors(values, "long_factor")],
        [shortName, factors(values, "short_factor")],
      ]),
    };
  },
};

function originalLength(config: HfConfig, values: HfConfig): number {
  return (
    optionalNumberOf(config, "original_max_position_embeddings") ??
    optionalNumberOf(values, "original_max_position_embeddings") ??
    numberOf(config, "max_position_embeddings")
  );
}

function factors(values: HfConfig, key: string): HostTensor {
  const list = values[key];
  if (!Array.isArray(list) || !list.every((value) => typeof value === "number")) {
    throw new ConfigError(
      `writing GGUF: expected numbers as ${key} of the rope settings, found ${JSON.stringify(list)}`,
    );
  }
  return hostTensor("float32", [list.length], Float32Array.from(list));
}
