/** @file llama.cpp's architecture `llama`: Llama 1 to 3, SmolLM, TinyLlama. */

import { UnsupportedError } from "../../../base/errors.js";
import { type HostTensor, hostTensor } from "../../../base/host-tensor.js";
import type { Architecture, HfConfig } from "./architecture.js";
import { rotatedInPairs } from "./changes.js";
import { expectValue, numberOf, optionalNumberOf, ropeOf } from "./config-values.js";
import {
  decoderConfig,
  decoderKeys,
  decoderRules,
  rotaryBuffers,
  scalingConfig,
  scalingKeys,
  withRules,
} from "./decoder.js";

const freqsName = "rope_freqs.weight";

/** What published Llama 3.1 to 3.3 configs have besides their factor. */
const llama3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const;

export const llama: Architecture = {
  name: "llama",
  modelTypes: ["llama"],
  rules: withRules(decoderRules, [
    {
      gguf: "blk.{}.attn_q",
      hf: "model.layers.{}.self_attn.q_proj",
      change: rotatedInPairs((config) => numberOf(config, "num_attention_heads")),
    },
    {
      gguf: "blk.{}.attn_k",
      hf: "model.layers.{}.self_attn.k_proj",
      change: rotatedInPairs(
        (config) => optionalNumberOf(config, "num_key_value_heads") ?? numberOf(config, "num_attention_heads"),
      ),
    },
  ]),
  omitted: rotaryBuffers,
  extra: [freqsName],
  async toConfig(keys, extra) {
    const config = { ...decoderConfig("llama", keys, extra), ...scalingConfig(keys) };
    if (!extra.names.includes(freqsName)) return { ...config, ...biases(extra) };
    return { ...config, ...biases(extra), rope_scaling: llama3Scaling(await extra.read(freqsName), config) };
  },
  fromConfig(config) {
    expectValue(config, "hidden_act", ["silu"]);
    if (ropeOf(config).type !== "llama3") return { keys: { ...decoderKeys(config), ...scalingKeys(config) } };
    return { keys: decoderKeys(config), extra: new Map([[freqsName, freqsOf(config)]]) };
  },
};

function biases(extra: Parameters<Architecture["toConfig"]>[1]): Record<string, boolean> {
  return {
    attention_bias: extra.shapeOf("blk.0.attn_q.bias") !== undefined,
    mlp_bias: extra.shapeOf("blk.0.ffn_gate.bias") !== undefined,
  };
}

/**
 * Llama 3's scaling as divisors of the frequencies [C/2]: 1 for short wavelengths, `factor` for long ones, between them smooth
 * (Transformers, `_compute_llama3_parameters`).
 */
function llama3Factors(
  headDim: number,
  theta: number,
  s: { factor: number; low_freq_factor: number; high_freq_factor: number; original_max_position_embeddings: number },
): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headDim);
    const turns = s.original_max_position_embeddings / wavelength;
    if (turns > s.high_freq_factor) return 1;
    if (turns < s.low_freq_factor) return s.factor;
    const smooth = (turns - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
    return 1 / ((1 - smooth) / s.factor + smooth);
  });
}

function freqsOf(config: HfConfig): HostTensor {
  const { theta, values } = ropeOf(config);
  const headDim =
    optionalNumberOf(config, "head_dim") ?? numberOf(config, "hidden_size") / numberOf(config, "num_attention_heads");
  const factors = llama3Factors(headDim, theta, {
    factor: numberOf(values, "factor"),
    low_freq_factor: numberOf(values, "low_freq_factor"),
    high_freq_factor: numberOf(values, "high_freq_factor"),
    original_max_position_embeddings: numberOf(values, "original_max_position_embeddings"),
  });
  return hostTensor("float32", [factors.length], factors);
}

/** The settings behind stored factors: GGUF keeps only the factors, so those of published models are tried. */
function llama3Scaling(stored: Float32Array, config: Record<string, unknown>): Record<string, string | number> {
  const settings = { factor: stored.at(-1) ?? 1, ...llama3 };
  const factors = llama3Factors(Number(config.head_dim), Number(config.rope_theta), settings);
  const isSame =
    stored.length === factors.length && stored.every((value, i) => Math.abs(value / factors[i]! - 1) < 1e-4);
  if (isSame) return { rope_type: "llama3", ...settings };
  throw new UnsupportedError(
    `GGUF: ${freqsName} holds rotary factors that are not Llama 3's with factor ${settings.factor}; load the model from its safetensors`,
  );
}
