/** @file What a model is and what it takes to use it, from its files' headers alone. */

import { byteSize } from "../base/host-tensor.js";
import { type ModelHeader, readModelHeader } from "../checkpoint/index.js";
import { encoderDecoders, encoders, type Families, modelFromConfig } from "../models/index.js";
import { countParameters, type LanguageModel, linearShape, type ParameterSpec, parameterSpecs } from "../nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../peft/index.js";
import { describeTraining, estimateMemory } from "../plan/index.js";

export interface InspectOptions {
  /** Lengths in tokens for which memory is given. Default 512 and the model's own, 4096 at most. */
  readonly lengths?: readonly number[];
  readonly families?: Families;
}

/** Bytes of a process that tunes with rows of one length, batch 1. */
export interface TuningMemory {
  readonly length: number;
  /** All parameters, AdamW, everything kept for the backward pass: the fastest. */
  readonly full: number;
  /** All parameters, recomputing and in small tiles, gradients handed over layer by layer: the smallest. */
  readonly fullSmallest: number;
  /** Rank 8 on the family's linear maps, recomputing. */
  readonly lora: number;
  /** The same over weights of 4 bits. */
  readonly qlora: number;
}

/** Bytes of a process that generates one sequence. */
export interface ServingMemory {
  readonly length: number;
  readonly float32: number;
  readonly int8: number;
  readonly int4: number;
}

export interface Inspection {
  readonly container: string;
  readonly family: string;
  readonly numParameters: number;
  /** Parameters by part: embedding, parts of layers by the first word of their names, head. */
  readonly parts: readonly { readonly name: string; readonly numParameters: number }[];
  /** What is stored, by type. */
  readonly types: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly contextLength: number;
  readonly vocabSize: number;
  /** Where its tokenizer is read from. */
  readonly tokenizer: string;
  readonly memory: {
    /** Weights in memory as float32, with the runtime. */
    readonly load: number;
    readonly tune: readonly TuningMemory[];
    readonly serve: readonly ServingMemory[];
  };
}

/**
 * Reads a model's headers; no weight is read (but those of a llama2.c file).
 * @throws CheckpointError when the path is no model, ConfigError when its family is not supported.
 */
export async function inspectModel(path: string, { lengths, families = {} }: InspectOptions = {}): Promise<Inspection> {
  const header = await readModelHeader(path);
  const { container, config, tensors, files, ggufMetadata } = header;
  if (Object.hasOwn({ ...encoders, ...encoderDecoders }, String(config.model_type))) return inspectEncoder(header);
  const model = modelFromConfig(config, families);
  const asked = lengths ?? [...new Set([512, 4096].map((length) => Math.min(length, model.maxPositions)))];
  const specs = parameterSpecs(model);
  return {
    container,
    family: model.family,
    numParameters: countParameters(specs),
    parts: partsOf(model),
    types: typesOf([...tensors.values()]),
    numLayers: model.layers.filter(({ kind }) => kind !== "stem").length,
    hiddenSize: model.hiddenSize,
    contextLength: model.maxPositions,
    vocabSize: model.vocabSize,
    tokenizer: tokenizerSource(files, ggufMetadata),
    memory: {
      load: 4 * countParameters(specs) + runtimeBytes(model),
      tune: asked.map((length) => tuningMemory(model, length)),
      serve: asked.map((length) => servingMemory(model, length)),
    },
  };
}

/** Encoders are told by what is stored; nothing tunes or serves them by length yet. */
function inspectEncoder({ container, config, tensors, files, ggufMetadata }: ModelHeader): Inspection {
  const sizes = new Map<string, number>();
  for (const [name, { shape }] of tensors) {
    // layers differ by a number in their names
    const part = name
      .split(".")
      .filter((word) => !/^\d+$/.test(word))
      .slice(0, 3)
      .join(".");
    sizes.set(part, (sizes.get(part) ?? 0) + shape.reduce((a, b) => a * b, 1));
  }
  const numParameters = [...sizes.values()].reduce((a, b) => a + b, 0);
  const number = (...keys: string[]): number =>
    Number(keys.map((key) => config[key]).find((value) => value !== undefined) ?? 0);
  return {
    container,
    family: String(config.model_type),
    numParameters,
    parts: [...sizes].map(([name, count]) => ({ name, numParameters: count })),
    types: typesOf([...tensors.values()]),
    numLayers: number("num_hidden_layers", "n_layers", "num_layers"),
    hiddenSize: number("hidden_size", "dim", "d_model"),
    contextLength: number("max_position_embeddings", "n_positions"),
    vocabSize: number("vocab_size"),
    tokenizer: tokenizerSource(files, ggufMetadata),
    memory: { load: 4 * numParameters + RUNTIME_BYTES, tune: [], serve: [] },
  };
}

function tokenizerSource(files: ReadonlyMap<string, unknown>, metadata: ReadonlyMap<string, unknown> | undefined) {
  const [file] = files.keys();
  const inside = metadata?.get("tokenizer.ggml.model");
  return file ?? (inside === undefined ? "none" : `inside the file (${inside})`);
}

function partsOf(model: LanguageModel): { name: string; numParameters: number }[] {
  const sizes = new Map<string, number>();
  const add = (part: string, { shape }: ParameterSpec): void => {
    sizes.set(part, (sizes.get(part) ?? 0) + shape.reduce((a, b) => a * b, 1));
  };
  add(model.embedding.name, model.embedding);
  for (const { kind, prefix } of model.layers) {
    for (const spec of model.kinds[kind]!.parameters)
      add(prefix === "" ? spec.name : `layers: ${firstWord(spec.name)}`, spec);
  }
  for (const spec of model.head.parameters) add("head", spec);
  if (model.head.weight.name !== model.embedding.name) add(model.head.weight.name, model.head.weight);
  return [...sizes].map(([name, numParameters]) => ({ name, numParameters }));
}

const firstWord = (name: string): string => name.slice(0, name.indexOf("."));

function typesOf(tensors: readonly { type: string; bytes: number }[]) {
  const types = new Map<string, { tensors: number; bytes: number }>();
  for (const { type, bytes } of tensors) {
    const seen = types.get(type) ?? { tensors: 0, bytes: 0 };
    types.set(type, { tensors: seen.tensors + 1, bytes: seen.bytes + bytes });
  }
  return [...types].map(([type, sizes]) => ({ type, ...sizes }));
}

/** Sizes of a step that are the same for all methods. */
const tile = (model: LanguageModel) => ({ rows: 256, vocabulary: model.vocabSize });

function tuningMemory(model: LanguageModel, length: number): TuningMemory {
  const shape = {
    batchSize: 1,
    time: length,
    packed: true,
    attentionTile: Math.min(256, length),
    lossTile: tile(model),
  };
  const total = (
    of: LanguageModel,
    own: Pick<Parameters<typeof describeTraining>[1], "save" | "isTrainable" | "streamGradients">,
  ) => estimateMemory(describeTraining(of, { ...shape, ...own }));
  const all = { isTrainable: () => true };
  const adapter = createAdapter(model, { config: { r: 8, lora_alpha: 16 } });
  const adapted = attach(model, adapter);
  const own = new Set(adapterSpecs(model, adapted).map(({ name }) => name));
  const lora = total(adapted, { save: "inputs", streamGradients: false, isTrainable: (name) => own.has(name) });
  return {
    length,
    full: total(model, { ...all, save: "all", streamGradients: false }).total,
    fullSmallest: total(model, { ...all, save: "inputs", streamGradients: true }).total,
    lora: lora.total,
    qlora: lora.total - 4 * countParameters(parameterSpecs(model)) + weightBytes(model, 4),
  };
}

/** Weights as generation holds them: matrices of linear maps packed in blocks of 32 with a float32 scale each. */
function weightBytes(model: LanguageModel, bits: 4 | 8 | 32): number {
  return parameterSpecs(model).reduce((sum, spec) => {
    const linear = linearShape(spec);
    const isOnlyEmbedding = spec.name === model.embedding.name && model.head.weight.name !== spec.name;
    if (bits === 32 || !linear || isOnlyEmbedding) return sum + byteSize("float32", spec.shape);
    const blocks = linear.outFeatures * Math.ceil(linear.inFeatures / 32);
    return sum + blocks * ((32 * bits) / 8 + 4);
  }, 0);
}

function servingMemory(model: LanguageModel, length: number): ServingMemory {
  const cache = model.caches.reduce(
    (sum, spec) =>
      sum + (spec ? 2 * byteSize("float32", [spec.numKvHeads, length, Math.ceil(spec.headDim / 8) * 8]) : 0),
    0,
  );
  const rest = cache + runtimeBytes(model);
  return {
    length,
    float32: weightBytes(model, 32) + rest,
    int8: weightBytes(model, 8) + rest,
    int4: weightBytes(model, 4) + rest,
  };
}

/** Node.js with ONNX Runtime. */
const RUNTIME_BYTES = 150 * 2 ** 20;

/** With the vocabulary's logits. */
function runtimeBytes({ vocabSize }: LanguageModel): number {
  return RUNTIME_BYTES + 4 * vocabSize;
}
