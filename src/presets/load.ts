/** @file A model with its tokenizer, from disk. */

import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { type JsonValue, readModel, type StoredModel } from "../checkpoint/index.js";
import { modelFromConfig } from "../models/index.js";
import { type LanguageModel, parameterSpecs } from "../nn/index.js";
import { type Tokenizer, tokenizerFromJson, tokenizerFromLlama2c } from "../tokenizers/index.js";

export interface LoadedModel {
  readonly model: LanguageModel;
  /** By name, float32. */
  readonly parameters: Map<string, HostTensor>;
  readonly tokenizer: Tokenizer;
  /** The tokenizer's files as they were on disk. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  readonly config: Readonly<Record<string, JsonValue>>;
}

/**
 * Loads a model folder (config.json, safetensors, tokenizer.json) or a llama2.c checkpoint.
 * @throws CheckpointError naming the first parameter that is missing or has another shape, or the missing tokenizer.
 */
export async function loadModel(path: string): Promise<LoadedModel> {
  const stored = await readModel(path);
  const model = modelFromConfig(stored.config);
  return {
    model,
    parameters: checkedParameters(path, model, stored),
    tokenizer: tokenizerOf(path, model, stored.files),
    tokenizerFiles: stored.files,
    config: stored.config,
  };
}

function checkedParameters(path: string, model: LanguageModel, { tensors }: StoredModel): Map<string, HostTensor> {
  return new Map(
    parameterSpecs(model).map(({ name, shape }) => {
      const tensor = tensors.get(name);
      if (!tensor || `${tensor.shape}` !== `${shape}`) {
        const found = tensor ? `[${tensor.shape}]` : "nothing";
        throw new CheckpointError(`${path}: expected a tensor ${name} of shape [${shape}], found ${found}`);
      }
      return [name, tensor] as const;
    }),
  );
}

function tokenizerOf(path: string, model: LanguageModel, files: ReadonlyMap<string, Uint8Array>): Tokenizer {
  const [json, binary] = [files.get("tokenizer.json"), files.get("tokenizer.bin")];
  if (!json && !binary)
    throw new CheckpointError(`${path}: expected a tokenizer.json (or llama2.c's tokenizer.bin) beside the weights`);
  const tokenizer = json ? tokenizerFromJson(new TextDecoder().decode(json)) : tokenizerFromLlama2c(binary!);
  if (tokenizer.vocabSize > model.vocabSize) {
    throw new CheckpointError(
      `${path}: the tokenizer has ${tokenizer.vocabSize} tokens, but the model's embedding has ${model.vocabSize} rows; they do not belong together`,
    );
  }
  return tokenizer;
}
