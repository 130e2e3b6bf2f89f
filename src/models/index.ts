/** @file Model families, keyed by the `model_type` of their config.json. */
import { ConfigError } from "../base/errors.js";
import type { LanguageModel } from "../nn/index.js";
import { type LlamaConfig, llama } from "./llama.js";

export const families = {
  llama: (config: Readonly<Record<string, unknown>>): LanguageModel => llama(config as LlamaConfig),
} as const;

/**
 * The model that a config.json describes.
 * @throws ConfigError when its `model_type` is not a known family.
 */
export function modelFromConfig(config: Readonly<Record<string, unknown>>): LanguageModel {
  const type = config.model_type;
  if (typeof type !== "string" || !(type in families)) {
    throw new ConfigError(
      `model_type ${JSON.stringify(type)} is not supported; supported are: ${Object.keys(families).join(", ")}`,
    );
  }
  return families[type as keyof typeof families](config);
}

export { type LlamaConfig, llama } from "./llama.js";
