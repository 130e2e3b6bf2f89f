/** @file A model with its tokenizer, from disk. */

import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { type JsonValue, readModel, type StoredModel } from "../checkpoint/index.js";
import { type Families, modelFromConfig } from "../models/index.js";
import { type LanguageModel, parameterSpecs } from "../nn/index.js";
import { type Tokenizer, tokenizerFromFiles, tokenizerFromGguf, toTokenizerJson } from "../tokenizers/index.js";

export interface LoadOptions {
  /** Families besides Tessera's own, by `model_type`. */
  readonly families?: Families;
}

export interface LoadedModel {
  readonly model: LanguageModel;
  /** By name, float32. */
  readonly parameters: Map<string, HostTensor>;
  readonly tokenizer: Tokenizer;
  /** The tokenizer's files as they were on disk; a tokenizer.json where it was inside a GGUF file. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  readonly config: Readonly<Record<string, JsonValue>>;
  /** Families that were known besides Tessera's own. */
  readonly families: Families;
  /** Metadata of the GGUF file that the model came from. */
  readonly ggufMetadata?: NonNullable<StoredModel["ggufMetadata"]>;
}

/**
 * Loads a model folder (config.json, safetensors, tokenizer files), a GGUF file or a llama2.c checkpoint.
 * @throws CheckpointError naming the first parameter that is missing or has another shape, or the missing tokenizer.
 */
export async function loadModel(path: string, { families = {} }: LoadOptions = {}): Promise<LoadedModel> {
  const stored = await readModel(path);
  const model = modelFromConfig(stored.config, families);
  const tokenizer = tokenizerOf(path, model, stored);
  return {
    model,
    parameters: checkedParameters(path, model, stored),
    tokenizer,
    tokenizerFiles: stored.ggufMetadata ? tokenizerJson(tokenizer) : stored.files,
    config: stored.config,
    families,
    ...(stored.ggufMetadata && { ggufMetadata: stored.ggufMetadata }),
  };
}

function checkedParameters(path: string, model: LanguageModel, { tensors }: StoredModel): Map<string, HostTensor> {
  return new Map(
    parameterSpecs(model).map(({ name, shape }) => {
      // a checkpoint of the model without its head has names without the prefix
      const tensor = tensors.get(name) ?? tensors.get(withoutPrefix(name, model.basePrefix));
      if (!tensor || `${tensor.shape}` !== `${shape}`) {
        const found = tensor ? `[${tensor.shape}]` : "nothing";
        throw new CheckpointError(`${path}: expected a tensor ${name} of shape [${shape}], found ${found}`);
      }
      return [name, tensor] as const;
    }),
  );
}

function withoutPrefix(name: string, prefix = ""): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function tokenizerOf(path: string, model: LanguageModel, { files, ggufMetadata }: StoredModel): Tokenizer {
  const tokenizer = ggufMetadata ? tokenizerFromGguf(ggufMetadata) : tokenizerFromFiles(files);
  if (tokenizer.vocabSize > model.vocabSize) {
    throw new CheckpointError(
      `${path}: the tokenizer has ${tokenizer.vocabSize} tokens, but the model's embedding has ${model.vocabSize} rows; they do not belong together`,
    );
  }
  return tokenizer;
}

function tokenizerJson(tokenizer: Tokenizer): Map<string, Uint8Array> {
  return new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]);
}
