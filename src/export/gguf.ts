/** @file Export to a GGUF file, for llama.cpp and what is built on it. */

import { readGgufModel, writeGgufModel } from "../checkpoint/gguf/model.js";
import type { WritableGgmlType } from "../checkpoint/gguf/types/index.js";
import { modelFromConfig } from "../models/index.js";
import { forward } from "../plan/index.js";
import { ggufMetadataOf, type TokenRoles } from "../tokenizers/index.js";
import { type Exporter, precisions } from "./exporter.js";

export const gguf: Exporter = {
  name: "gguf",
  about: "one file for llama.cpp, with the tokenizer inside",
  dtypes: {
    F16: precisions.float16,
    F32: precisions.float32,
    BF16: precisions.bfloat16,
    Q8_0: precisions.Q8_0,
    Q4_0: precisions.Q4_0,
  },
  writes: "merged",
  async write({ config, parameters, tokenizer, ggufMetadata }, target, { dtype }) {
    const metadata = ggufMetadata ? tokenizerKeys(ggufMetadata) : ggufMetadataOf(tokenizer, rolesOf(config));
    const type = dtype as WritableGgmlType;
    await writeGgufModel(target, { config, tensors: parameters }, { type, metadata });
    return {
      files: [target],
      weights: async () => (await readGgufModel(target)).tensors,
      logits: async (runtime, input) => {
        const stored = await readGgufModel(target);
        return (await forward(runtime, modelFromConfig(stored.config), stored.tensors, input)).logits;
      },
    };
  },
};

/** The tokenizer of a model that was read from GGUF goes into the new file as it is. */
function tokenizerKeys<T>(metadata: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...metadata].filter(([key]) => key.startsWith("tokenizer.")));
}

/** The first id where a config names several. */
function rolesOf(config: Readonly<Record<string, unknown>>): TokenRoles {
  const id = (key: string): number | undefined => {
    const value = config[key];
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return typeof first === "number" ? first : undefined;
  };
  return { bos: id("bos_token_id"), eos: id("eos_token_id"), pad: id("pad_token_id") };
}
