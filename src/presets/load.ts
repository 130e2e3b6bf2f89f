/** @file A model with its tokenizer, from disk. */

import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { type JsonValue, type ModelSource, openModelSource } from "../checkpoint/index.js";
import { type Families, modelFromConfig } from "../models/index.js";
import { type LanguageModel, parameterSpecs } from "../nn/index.js";
import { type Tokenizer, tokenizerFromFiles, tokenizerFromGguf, toTokenizerJson } from "../tokenizers/index.js";

export interface LoadOptions {
  /** Families besides Tessera's own, by `model_type`. */
  readonly families?: Families;
}

/** A model with its tokenizer, without its weights. */
export interface TextModel {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  /** The tokenizer's files as they were on disk; a tokenizer.json where it was inside a GGUF file. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  readonly config: Readonly<Record<string, JsonValue>>;
  /** Families that were known besides Tessera's own. */
  readonly families: Families;
  /** Metadata of the GGUF file that the model came from. */
  readonly ggufMetadata?: NonNullable<ModelSource["ggufMetadata"]>;
}

export interface LoadedModel extends TextModel {
  /** By name, float32. */
  readonly parameters: Map<string, HostTensor>;
}

/** Close it when its parameters are read. */
export interface OpenedModel extends TextModel, AsyncDisposable {
  /** By name, in the order of computation: each is read, as float32, when it is asked for, and not kept. */
  readonly parameters: AsyncIterable<readonly [string, HostTensor]>;
}

/**
 * Loads a model folder (config.json, safetensors, tokenizer files), a GGUF file or a llama2.c checkpoint.
 * @throws CheckpointError naming the first parameter that is missing or has another shape, or the missing tokenizer.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  await using opened = await openModel(path, options);
  const { [Symbol.asyncDispose]: _, parameters: stored, ...model } = opened;
  const parameters = new Map<string, HostTensor>();
  for await (const [name, tensor] of stored) parameters.set(name, tensor);
  return { ...model, parameters };
}

/**
 * Opens what `loadModel` loads, to read its parameters one at a time: for weights that are packed as they come.
 * @throws CheckpointError naming the first parameter that is missing, or the missing tokenizer; while parameters are read,
 * for one of another shape.
 */
export async function openModel(path: string, { families = {} }: LoadOptions = {}): Promise<OpenedModel> {
  const source = await openModelSource(path);
  try {
    const { config, ggufMetadata } = source;
    const model = modelFromConfig(config, families);
    const tokenizer = tokenizerOf(path, model, source);
    const names = storedNames(path, model, source.names);
    return {
      model,
      parameters: { [Symbol.asyncIterator]: () => read(path, model, source, names) },
      tokenizer,
      tokenizerFiles: ggufMetadata ? tokenizerJson(tokenizer) : source.files,
      config,
      families,
      ...(ggufMetadata && { ggufMetadata }),
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    };
  } catch (thrown) {
    await source[Symbol.asyncDispose]();
    throw thrown;
  }
}

/** Where each parameter is found. A checkpoint of the model without its head has names without the prefix. */
function storedNames(path: string, model: LanguageModel, names: ReadonlySet<string>): Map<string, string> {
  return new Map(
    parameterSpecs(model).map(({ name, shape }) => {
      const stored = [name, withoutPrefix(name, model.basePrefix)].find((candidate) => names.has(candidate));
      if (stored === undefined) throw wrongTensor(path, name, shape, "nothing");
      return [name, stored] as const;
    }),
  );
}

async function* read(
  path: string,
  model: LanguageModel,
  source: ModelSource,
  names: ReadonlyMap<string, string>,
): AsyncGenerator<readonly [string, HostTensor]> {
  for (const { name, shape } of parameterSpecs(model)) {
    const tensor = await source.readFloat32(names.get(name)!);
    if (`${tensor.shape}` !== `${shape}`) throw wrongTensor(path, name, shape, `[${tensor.shape}]`);
    yield [name, tensor];
  }
}

function wrongTensor(path: string, name: string, shape: readonly number[], found: string): CheckpointError {
  return new CheckpointError(`${path}: expected a tensor ${name} of shape [${shape}], found ${found}`);
}

function withoutPrefix(name: string, prefix = ""): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function tokenizerOf(path: string, model: LanguageModel, { files, ggufMetadata }: ModelSource): Tokenizer {
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
