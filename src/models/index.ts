/** @file Model families, keyed by the `model_type` of their config.json. */
import { ConfigError } from "../base/errors.js";
import type { LanguageModel } from "../nn/index.js";
import { bloom } from "./bloom.js";
import type { Families } from "./family.js";
import { gemma2, gemma3 } from "./gemma.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { llamaFamily } from "./llama.js";
import { mistral } from "./mistral.js";
import { mixtral, qwen3Moe } from "./moe-families.js";
import { phi3 } from "./phi3.js";
import { qwen2, qwen3 } from "./qwen.js";
import { smollm3 } from "./smollm3.js";

export const families = {
  bloom,
  gemma2,
  gemma3_text: gemma3,
  gpt2,
  gpt_neox: gptNeox,
  llama: llamaFamily,
  mistral,
  mixtral,
  phi3,
  qwen2,
  qwen3,
  qwen3_moe: qwen3Moe,
  smollm3,
} as const satisfies Families;

/**
 * The model that a config.json describes. `own` holds families besides those that Tessera has.
 * @throws ConfigError when its `model_type` is not a known family, or `own` names one that is there already.
 */
export function modelFromConfig(config: Readonly<Record<string, unknown>>, own: Families = {}): LanguageModel {
  const taken = Object.keys(own).find((name) => Object.hasOwn(families, name));
  if (taken !== undefined) {
    throw new ConfigError(`the family "${taken}" is there already; give your own another model_type`);
  }
  const all: Families = { ...families, ...own };
  const type = config.model_type;
  const family = typeof type === "string" && Object.hasOwn(all, type) ? all[type] : undefined;
  if (!family) {
    throw new ConfigError(
      `model_type ${JSON.stringify(type)} is not supported; supported are: ${Object.keys(all).join(", ")}. Add one with defineFamily and hand it over as { families: { <model_type>: family } } (examples/own-family.ts), or in the repository as docs/adding/family.md says`,
    );
  }
  return family(config);
}

export { type EncoderTask, encoderTasks } from "./bert-heads.js";
export { type DecoderParts, decoder } from "./decoder.js";
export { type EncoderFamily, type EncoderNaming, pickParameters } from "./encoder-config.js";
export { encoderDecoders, encoderFromConfig, encoders } from "./encoders.js";
export { type ContextScaling, contextScalings, type ExtendContextOptions, extendContext } from "./extend-context.js";
export { defineFamily, type Families, type Family } from "./family.js";
export { type Gpt2Input as Gpt2Config, gpt2 } from "./gpt2.js";
export { type GroupedCheckpoint, groupKvHeads } from "./group-kv-heads.js";
export { type LlamaConfig, llama } from "./llama.js";
export {
  type Prompts,
  type SentenceModules,
  type SentenceSettings,
  sentenceLength,
  sentenceModuleFiles,
  sentenceModules,
  sentencePrompts,
  staticModulePath,
} from "./sentence-transformers.js";
export { type T5Config, t5 } from "./t5.js";
