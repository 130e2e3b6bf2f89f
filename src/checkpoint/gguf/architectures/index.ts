/** @file Architectures of llama.cpp that are read and written, by `general.architecture`. */

import { UnsupportedError } from "../../../base/errors.js";
import type { Architecture } from "./architecture.js";
import { bert } from "./bert.js";
import { gemma2, gemma3 } from "./gemma.js";
import { gpt2, gptneox } from "./gpt.js";
import { llama } from "./llama.js";
import { phi3 } from "./phi3.js";
import { qwen2, qwen3 } from "./qwen.js";

export const architectures = {
  llama,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  phi3,
  gpt2,
  gptneox,
  bert,
} as const satisfies Record<string, Architecture>;

/** @throws UnsupportedError that lists the architectures. */
export function architectureOf(name: unknown, source: string): Architecture {
  if (typeof name === "string" && Object.hasOwn(architectures, name))
    return architectures[name as keyof typeof architectures];
  throw new UnsupportedError(
    `${source}: expected general.architecture to be one of ${Object.keys(architectures).join(", ")}, found ${JSON.stringify(name)}; load the model from its safetensors`,
  );
}

/** @throws UnsupportedError that lists the model types. */
export function architectureFor(modelType: unknown): Architecture {
  const all: readonly Architecture[] = Object.values(architectures);
  const found = all.find(({ modelTypes }) => modelTypes.some((type) => type === modelType));
  if (found) return found;
  const known = all.flatMap(({ modelTypes }) => modelTypes).join(", ");
  throw new UnsupportedError(`writing GGUF: expected a model_type of ${known}, got ${JSON.stringify(modelType)}`);
}
