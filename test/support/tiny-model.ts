/** @file A Llama small enough for finite differences, and batches for it. */

import { Rng } from "../../src/base/rng.js";
import { type LlamaConfig, llama } from "../../src/models/index.js";
import { initialize, type LanguageModel, parameterSpecs } from "../../src/nn/index.js";
import type { MicroBatch } from "../../src/plan/index.js";

export const tinyConfig: LlamaConfig = {
  vocab_size: 11,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
  max_position_embeddings: 64,
  // larger than usual, so that gradients are not lost in rounding
  initializer_range: 0.3,
};

export function tinyModel(config: Partial<LlamaConfig> = {}): LanguageModel {
  return llama({ ...tinyConfig, ...config });
}

export const tinyParameters = (model: LanguageModel, seed = 1): ReturnType<typeof initialize> =>
  initialize(parameterSpecs(model), seed);

/** Random tokens; the loss is the mean over all positions. */
export function tinyBatch(rowsOfBatch: number, time: number, vocabSize = 11, seed = 2): MicroBatch {
  const rng = new Rng(seed);
  const count = rowsOfBatch * time;
  const draw = (): Int32Array => Int32Array.from({ length: count }, () => rng.below(vocabSize));
  return {
    ids: draw(),
    labels: draw(),
    weights: new Float32Array(count).fill(1 / count),
    positions: Int32Array.from({ length: count }, (_, i) => i % time),
    segments: new Int32Array(count),
  };
}
