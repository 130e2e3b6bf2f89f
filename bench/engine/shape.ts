/** @file The model of the generation benchmarks: Llama-shaped, random weights, 4 bits. */

import { availableParallelism } from "node:os";
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
