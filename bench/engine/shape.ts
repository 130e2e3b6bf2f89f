/** @file The model of the generation benchmarks: Llama-shaped, random weights, 4 bits. */

import { availableParallelism } from "node:os";
import type { GgufValue } from "../../src/checkpoint/gguf/metadata.js";
import { writeGgufModel } from "../../src/checkpoint/gguf/model.js";
import type { JsonValue } from "../../src/checkpoint/json.js";
import { type WeightFormat, Weights } from "../../src/engine/index.js";
import { llama } from "../../src/models/index.js";
import { initialize, type LanguageModel, type Parameters, parameterSpecs } from "../../src/nn/index.js";

export const threads = availableParallelism();

/** About 134 million parameters. */
export const shape = {
  vocab_size: 32_000,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  max_position_embeddings: 4096,
  tie_word_embeddings: false,
} as const;

export interface BenchModel {
  readonly model: LanguageModel;
  readonly parameters: Parameters;
  readonly weights: Weights;
}

export function benchModel(format: WeightFormat = "int4"): BenchModel {
  const model = llama(shape);
  const parameters = initialize(parameterSpecs(model), 1);
  return { model, parameters, weights: new Weights(model, parameters, format) };
}

/** Tokens that stand for nothing: a GGUF file is not loaded without a vocabulary. */
function vocabulary(): Map<string, GgufValue> {
  const tokens = Array.from({ length: shape.vocab_size }, (_, i) => {
    if (i < 3) return ["<unk>", "<s>", "</s>"][i]!;
    return i < 259 ? `<0x${(i - 3).toString(16).toUpperCase().padStart(2, "0")}>` : `t${i}`;
  });
  const kinds = tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1));
  return new Map<string, GgufValue>([
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.pre", "default"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.scores", tokens.map((_, i) => -i)],
    ["tokenizer.ggml.token_type", kinds],
    ["tokenizer.ggml.bos_token_id", 1],
    ["tokenizer.ggml.eos_token_id", 2],
    ["tokenizer.ggml.unknown_token_id", 0],
  ]);
}

/** Writes the model as a GGUF file of type Q4_0. */
export async function writeBenchModel(path: string, { model, parameters }: BenchModel): Promise<void> {
  const config = JSON.parse(JSON.stringify(model.config)) as Record<string, JsonValue>;
  await writeGgufModel(path, { config, tensors: parameters }, { type: "Q4_0", metadata: vocabulary() });
}
