/** @file llama.cpp's architectures `qwen2` and `qwen3`. */

import type { Architecture } from "./architecture.js";
import { expectValue } from "./config-values.js";
import {
  decoderConfig,
  decoderKeys,
  decoderRules,
  headNormRules,
  rotaryBuffers,
  scalingConfig,
  scalingKeys,
} from "./decoder.js";

function qwen(name: "qwen2" | "qwen3", rules: Architecture["rules"]): Architecture {
  return {
    name,
    modelTypes: [name],
    rules,
    omitted: rotaryBuffers,
    toConfig: (keys, extra) => ({ ...decoderConfig(name, keys, extra), ...scalingConfig(keys) }),
    fromConfig(config) {
      expectValue(config, "hidden_act", ["silu"]);
      expectValue(config, "use_sliding_window", [false]);
      return { keys: { ...decoderKeys(config), ...scalingKeys(config) } };
    },
  };
}

export const qwen2 = qwen("qwen2", decoderRules);
export const qwen3 = qwen("qwen3", [...decoderRules, ...headNormRules]);
