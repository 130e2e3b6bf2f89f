/** @file llama.cpp's architectures `gemma2` and `gemma3` (text). */

import { UnsupportedError } from "../../../base/errors.js";
import type { JsonValue } from "../../json.js";
import type { Architecture, HfConfig, NameRule } from "./architecture.js";
import { plusOne } from "./changes.js";
import { expectValue, numberOf, optionalNumberOf, ropeOf } from "./config-values.js";
import {
  decoderConfig,
  decoderKeys,
  decoderRules,
  headNormRules,
  rotaryBuffers,
  scalingConfig,
  scalingKeys,
  withRules,
} from "./decoder.js";

const isNorm = ({ gguf }: NameRule): boolean => gguf.endsWith("_norm");
const normsPlusOne = (rules: readonly NameRule[]): readonly NameRule[] =>
  rules.map((rule) => (isNorm(rule) ? { ...rule, change: plusOne } : rule));

const rules = withRules(decoderRules, [
  { gguf: "blk.{}.post_attention_norm", hf: "model.layers.{}.post_attention_layernorm" },
  { gguf: "blk.{}.ffn_norm", hf: "model.layers.{}.pre_feedforward_layernorm" },
  { gguf: "blk.{}.post_ffw_norm", hf: "model.layers.{}.post_feedforward_layernorm" },
]);

const activation = { hidden_activation: "gelu_pytorch_tanh", hidden_act: "gelu_pytorch_tanh" } as const;

/** llama.cpp has no key for the scale of queries: 1/sqrt(head size), but 1/sqrt(width / heads) in the largest models. */
function queryScalar(config: HfConfig, layersOfLargest: number): number {
  if (config.num_hidden_layers !== layersOfLargest) return numberOf(config, "head_dim");
  return numberOf(config, "hidden_size") / numberOf(config, "num_attention_heads");
}

/** Every `period`-th layer sees everything, the others a window. */
function layerTypes(layers: number, period: number): string[] {
  return Array.from({ length: layers }, (_, i) => ((i + 1) % period === 0 ? "full_attention" : "sliding_attention"));
}

function checkFixed(config: HfConfig, layersOfLargest: number, period: number): void {
  for (const [key, value] of Object.entries(activation)) expectValue(config, key, [value]);
  expectValue(config, "query_pre_attn_scalar", [queryScalar(config, layersOfLargest)]);
  const expected = layerTypes(numberOf(config, "num_hidden_layers"), period);
  if (config.layer_types != null && `${config.layer_types}` !== `${expected}`) {
    throw new UnsupportedError(
      `writing GGUF: llama.cpp takes every ${period}th layer of ${String(config.model_type)} as full attention, the config has other layer_types`,
    );
  }
}

export const gemma2: Architecture = {
  name: "gemma2",
  modelTypes: ["gemma2"],
  rules: normsPlusOne(rules),
  omitted: rotaryBuffers,
  toConfig(keys, extra) {
    const config: Record<string, JsonValue> = { ...decoderConfig("gemma2", keys, extra), ...activation };
    return {
      ...config,
      sliding_window: keys.optionalNumber("attention.sliding_window") ?? 4096,
      attn_logit_softcapping: keys.optionalNumber("attn_logit_softcapping") ?? 50,
      final_logit_softcapping: keys.optionalNumber("final_logit_softcapping") ?? 30,
      query_pre_attn_scalar: queryScalar(config, 46),
      layer_types: layerTypes(keys.number("block_count"), 2),
    };
  },
  fromConfig(config) {
    checkFixed(config, 46, 2);
    return {
      keys: {
        ...decoderKeys(config),
        "attention.sliding_window": numberOf(config, "sliding_window"),
        attn_logit_softcapping: numberOf(config, "attn_logit_softcapping"),
        final_logit_softcapping: numberOf(config, "final_logit_softcapping"),
      },
    };
  },
};

export const gemma3: Architecture = {
  name: "gemma3",
  modelTypes: ["gemma3_text"],
  rules: normsPlusOne([...rules, ...headNormRules]),
  omitted: rotaryBuffers,
  toConfig(keys, extra) {
    const config: Record<string, JsonValue> = { ...decoderConfig("gemma3_text", keys, extra), ...activation };
    return {
      ...config,
      ...scalingConfig(keys),
      rope_theta: keys.optionalNumber("rope.freq_base") ?? 1e6,
      rope_local_base_freq: keys.optionalNumber("rope.freq_base_swa") ?? 10_000,
      sliding_window: keys.number("attention.sliding_window"),
      query_pre_attn_scalar: queryScalar(config, 62),
      layer_types: layerTypes(keys.number("block_count"), 6),
    };
  },
  fromConfig(config) {
    checkFixed(config, 62, 6);
    expectValue(config, "attn_logit_softcapping", []);
    expectValue(config, "final_logit_softcapping", []);
    const isNested = typeof config.rope_parameters === "object" && config.rope_parameters !== null;
    const local = isNested
      ? ropeOf(config, "sliding_attention").theta
      : optionalNumberOf(config, "rope_local_base_freq");
    if (local !== undefined && local !== 10_000) {
      throw new UnsupportedError(
        `writing GGUF: llama.cpp rotates Gemma 3's windows with base 10000, the config has ${local}`,
      );
    }
    return {
      keys: {
        ...decoderKeys(config, "full_attention"),
        ...scalingKeys(config, "full_attention"),
        "attention.sliding_window": numberOf(config, "sliding_window"),
      },
    };
  },
};
