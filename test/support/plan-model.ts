/** @file A model to plan for: large enough that settings decide whether it fits a quarter of a gigabyte. */

import { type JsonValue, writeModel } from "../../src/checkpoint/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { tinyConfig, tinyModel } from "./tiny-model.js";

const config = {
  ...tinyConfig,
  model_type: "llama" as const,
  vocab_size: 2048,
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  max_position_embeddings: 2048,
};

export const planModel = tinyModel(config);

/** Writes it with random weights. */
export const writePlanModel = (folder: string): Promise<void> =>
  writeModel(folder, {
    config: config as Record<string, JsonValue>,
    tensors: initialize(parameterSpecs(planModel), 1),
    files: new Map(),
  });
