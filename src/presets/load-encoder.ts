/** @file An encoder with its tokenizer and its pooling, from disk, and texts to vectors with it. */

import type { HostTensor } from "../base/host-tensor.js";
import { readModel, readModuleFiles } from "../checkpoint/index.js";
import {
  type EncoderFamily,
  encoderFromConfig,
  type Prompts,
  pickParameters,
  sentenceLength,
  sentenceModules,
  sentencePrompts,
} from "../models/index.js";
import { encoderParameters, type Pooling } from "../nn/index.js";
import { type EncoderBatch, embed, embeddingChain } from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import { type Tokenizer, tokenizerFromFiles, tokenizerFromGguf } from "../tokenizers/index.js";

export interface LoadedEncoder extends EncoderFamily {
  /** Every tensor of the checkpoint, its heads' included. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Parameters of the encoder. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly tokenizer: Tokenizer;
  /** How token vectors become one, as the model's modules.json says; else the mean, normalised. */
  readonly pooling: Pooling;
  /** What the model wants before a query and before a passage; `embedTexts` takes texts as they are. */
  readonly prompts: Prompts;
  /** Longest text in tokens, special ones included: what modules.json's encoder says, at most what the network takes. */
  readonly maxTokens: number;
  /** Tokenizer files by name; none of a GGUF file. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Loads BERT and its relatives from a folder (config.json, safetensors, tokenizer files).
 * @throws CheckpointError naming the first parameter that is missing; ConfigError for a family that is no encoder.
 */
export async function loadEncoder(path: string): Promise<LoadedEncoder> {
  const { config, tensors, files, ggufMetadata } = await readModel(path);
  const family = encoderFromConfig(config);
  const modules = ggufMetadata ? undefined : await readModuleFiles(path);
  const { maxPositions } = family.encoder;
  return {
    ...family,
    tensors,
    files,
    prompts: sentencePrompts(modules?.settings),
    maxTokens: Math.min(maxPositions, sentenceLength(modules?.encoder) ?? maxPositions),
    parameters: pickParameters(encoderParameters(family.encoder), tensors),
    tokenizer: ggufMetadata ? tokenizerFromGguf(ggufMetadata) : tokenizerFromFiles(files),
    pooling: modules
      ? sentenceModules(modules.modules, modules.configs).pooling
      : { modes: ["mean"], isNormalized: true },
  };
}

export interface EmbedOptions {
  /** Most texts in one run. Default 16. */
  readonly batchSize?: number;
  /** Most positions in one run, padding included; a longer text runs alone. Default: no limit. */
  readonly batchTokens?: number;
  /** Longest text, in tokens with the special ones. Default: what the network takes. */
  readonly maxTokens?: number;
  /** Hears of a text that was cut at its end to fit, with its tokens, special ones aside. */
  readonly onCut?: (index: number, numTokens: number) => void;
  /** Stops between two runs. */
  readonly signal?: AbortSignal;
}

/** A vector per text, in the order given. Texts of like length are run together. */
export async function embedTexts(
  runtime: Runtime,
  loaded: LoadedEncoder,
  texts: readonly string[],
  options: EmbedOptions = {},
): Promise<Float32Array[]> {
  const { encoder, parameters, pooling } = loaded;
  const { maxTokens = encoder.maxPositions, onCut = () => {} } = options;
  const stages = embeddingChain(encoder, pooling);
  const encoded = texts.map((text, index) => ({ index, ids: idsOf(loaded, text, maxTokens, (n) => onCut(index, n)) }));
  encoded.sort((a, b) => a.ids.length - b.ids.length);
  const vectors = new Array<Float32Array>(texts.length);
  for (const group of batchesOf(encoded, options)) {
    options.signal?.throwIfAborted();
    const batch = padded(
      group.map(({ ids }) => ids),
      Number(encoder.config.pad_token_id ?? 0),
    );
    const { data, shape } = await embed(runtime, encoder, parameters, batch, { stages });
    const width = shape[1]!;
    for (const [row, { index }] of group.entries()) {
      vectors[index] = (data as Float32Array).slice(row * width, (row + 1) * width);
    }
  }
  return vectors;
}

/** Neighbours, as many as may run together. Each is at least as long as the one before it. */
function* batchesOf<T extends { readonly ids: Int32Array }>(
  texts: readonly T[],
  { batchSize = 16, batchTokens = Number.POSITIVE_INFINITY }: EmbedOptions,
): Generator<T[]> {
  let group: T[] = [];
  for (const text of texts) {
    if (group.length === batchSize || (group.length > 0 && (group.length + 1) * text.ids.length > batchTokens)) {
      yield group;
      group = [];
    }
    group.push(text);
  }
  if (group.length > 0) yield group;
}

function idsOf(
  { tokenizer }: LoadedEncoder,
  text: string,
  maxTokens: number,
  onCut: (numTokens: number) => void,
): Int32Array {
  const { prefix, suffix } = tokenizer.template;
  const inside = tokenizer.encode(text);
  const room = maxTokens - prefix.length - suffix.length;
  if (inside.length > room) onCut(inside.length);
  return Int32Array.from([...prefix, ...inside.subarray(0, room), ...suffix]);
}

/** Rows of one length, filled up at their ends. */
function padded(rows: readonly Int32Array[], padId: number): EncoderBatch {
  const time = Math.max(1, ...rows.map(({ length }) => length));
  const ids = new Int32Array(rows.length * time).fill(padId);
  const mask = new Int32Array(ids.length);
  for (const [i, row] of rows.entries()) {
    ids.set(row, i * time);
    mask.fill(1, i * time, i * time + row.length);
  }
  return { ids, mask, batchSize: rows.length };
}
