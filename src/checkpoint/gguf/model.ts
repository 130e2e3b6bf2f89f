/** @file Whole models as GGUF files: config and tensors under Hugging Face's names, both ways. */

import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { asFloat32, type HostTensor, hostTensor } from "../../base/host-tensor.js";
import type { JsonValue } from "../json.js";
import { lookUp, type ModelTensors } from "../tensor-source.js";
import type { Architecture, HfConfig } from "./architectures/architecture.js";
import { architectureFor, architectureOf } from "./architectures/index.js";
import { GgufKeys } from "./keys.js";
import type { GgufValue } from "./metadata.js";
import { ggufNameOf, hfNameOf, isOmitted, type Translation } from "./names.js";
import { type GgufFile, readGguf } from "./read.js";
import { ggmlTypes, type WritableGgmlType } from "./types/index.js";
import { type GgufTensorInput, writeGguf } from "./write.js";

export interface GgufModel {
  /** Keys of Hugging Face's `config.json`. */
  readonly config: Readonly<Record<string, JsonValue>>;
  /** By Hugging Face's names, as float32. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** All metadata of the file, the tokenizer's included. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
}

/** An open file: its tensors under Hugging Face's names. */
export interface OpenGgufModel extends ModelTensors, Pick<GgufModel, "config" | "metadata"> {}

/**
 * Reads a model, tensor by tensor.
 * @throws as `openGgufModel` does.
 */
export async function readGgufModel(path: string): Promise<GgufModel> {
  await using model = await openGgufModel(path);
  const tensors = new Map<string, HostTensor>();
  for (const name of model.names) tensors.set(name, await model.readFloat32(name));
  return { config: model.config, tensors, metadata: model.metadata };
}

/**
 * Opens a model; no tensor is read yet.
 * @throws UnsupportedError for an architecture that is not in `architectures`, or something of it that has no counterpart in Hugging Face's
 * model; CheckpointError when the file is not valid.
 */
export async function openGgufModel(path: string): Promise<OpenGgufModel> {
  const file = await readGguf(path);
  try {
    return await translatedFile(file, path);
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function translatedFile(file: GgufFile, path: string): Promise<OpenGgufModel> {
  const { metadata } = file;
  const parts = metadata.get("split.count");
  if (typeof parts === "number" && parts > 1) {
    throw new UnsupportedError(`${path} is one of ${parts} parts; join them with llama.cpp's llama-gguf-split --merge`);
  }
  const architecture = architectureOf(metadata.get("general.architecture"), path);
  if (file.tensors.size === 0) throw new CheckpointError(`${path} holds a vocabulary but no weights`);
  const config = await configOf(file, architecture, path);
  const stored = new Map<string, { readonly inFile: string; readonly rule: Translation["rule"] }>();
  for (const inFile of file.tensors.keys()) {
    if (architecture.extra?.includes(inFile)) continue;
    const translation = hfNameOf(architecture, inFile);
    if (!translation) {
      throw new UnsupportedError(
        `${path}: the architecture ${architecture.name} has no tensor ${JSON.stringify(inFile)} here; load the model from its safetensors`,
      );
    }
    stored.set(translation.name, { inFile, rule: translation.rule });
  }
  return {
    config,
    metadata,
    names: new Set(stored.keys()),
    readFloat32: async (name) => {
      const { inFile, rule } = lookUp(stored, name, path, "tensor");
      const tensor = await file.readFloat32(inFile);
      return rule.change?.fromGguf(tensor, config) ?? tensor;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** The config that a file's metadata stands for. */
export function ggufConfig(file: GgufFile, path: string): Promise<Record<string, JsonValue>> {
  return configOf(file, architectureOf(file.metadata.get("general.architecture"), path), path);
}

async function configOf(file: GgufFile, architecture: Architecture, path: string): Promise<Record<string, JsonValue>> {
  const { name, extra = [] } = architecture;
  return architecture.toConfig(new GgufKeys(file.metadata, name, path), {
    names: extra.filter((candidate) => file.tensors.has(candidate)),
    read: async (tensor) => asFloat32(await file.readFloat32(tensor)),
    shapeOf: (tensor) => file.tensors.get(tensor)?.shape,
  });
}

export interface WriteGgufModelOptions {
  /** Type of the matrices; vectors are always F32, and matrices whose rows are no whole blocks F16. */
  readonly type: WritableGgmlType;
  /** Metadata of the tokenizer (`tokenizer.ggml.*`, `tokenizer.chat_template`) and whatever else belongs in the file. It wins over what the config says. */
  readonly metadata?: ReadonlyMap<string, GgufValue>;
}

/** `general.file_type` (`enum llama_ftype`). */
const fileTypes: Readonly<Record<WritableGgmlType, number>> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, BF16: 32 };

/**
 * Writes a model as llama.cpp reads it; matrices are packed one at a time.
 * @returns the names of tensors that GGUF has no place for and the model does not need to generate or embed (BERT's pooler and heads, stored masks).
 * @throws UnsupportedError when llama.cpp would compute another model than the config describes, or has no name for a tensor.
 */
export async function writeGgufModel(
  path: string,
  { config, tensors }: { readonly config: HfConfig; readonly tensors: ReadonlyMap<string, HostTensor> },
  { type, metadata }: WriteGgufModelOptions,
): Promise<{ omitted: string[] }> {
  const architecture = architectureFor(config.model_type);
  const { keys, extra = new Map<string, HostTensor>() } = architecture.fromConfig(config);
  const inputs: GgufTensorInput[] = [...extra].map(([name, tensor]) =>
    inputOf(name, tensor.shape, "F32", () => tensor),
  );
  const omitted: string[] = [];
  for (const [name, tensor] of tensors) {
    const translation = ggufNameOf(architecture, name);
    if (translation) inputs.push(translated(translation, tensor, config, type));
    else if (isOmitted(architecture, name)) omitted.push(name);
    else
      throw new UnsupportedError(
        `writing GGUF: llama.cpp's ${architecture.name} has no tensor for ${JSON.stringify(name)}`,
      );
  }
  const entries = new Map<string, GgufValue>([
    ["general.architecture", architecture.name],
    ["general.file_type", fileTypes[type]],
    ["general.quantization_version", 2],
    ...Object.entries(keys).map(([key, value]) => [`${architecture.name}.${key}`, value] as const),
    ...(metadata ?? []),
  ]);
  await writeGguf(path, { metadata: entries, tensors: inputs });
  return { omitted };
}

function translated(
  { name, rule }: Translation,
  tensor: HostTensor,
  config: HfConfig,
  type: WritableGgmlType,
): GgufTensorInput {
  const floats = (): HostTensor => hostTensor("float32", tensor.shape, asFloat32(tensor));
  const changed = (): HostTensor => rule.change?.toGguf(floats(), config) ?? floats();
  // known before the values are made
  const shape = rule.change?.transposes ? tensor.shape.toReversed() : tensor.shape;
  return inputOf(name, shape, rule.isFloat32 || tensor.shape.length < 2 ? "F32" : fittingType(type, shape), changed);
}

/** Rows that are no whole blocks stay in half precision, as llama.cpp's own converter leaves them. */
function fittingType(type: WritableGgmlType, shape: readonly number[]): WritableGgmlType {
  return shape.at(-1)! % ggmlTypes[type].blockSize === 0 ? type : "F16";
}

/** Values are made when they are written, and not kept. */
function inputOf(
  name: string,
  shape: readonly number[],
  type: WritableGgmlType,
  make: () => HostTensor,
): GgufTensorInput {
  return {
    name,
    shape,
    type,
    get data() {
      return asFloat32(make());
    },
  };
}
