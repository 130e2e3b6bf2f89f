/** @file An encoder with its tokenizer and its pooling, from disk, and texts to vectors with it. */

import type { HostTensor } from "../base/host-tensor.js";
import { readModel, readModuleFiles } from "../checkpoint/index.js";
import { type EncoderFamily, encoderFromConfig, pickParameters, sentenceModules } from "../models/index.js";
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
}

/**
 * Loads BERT and its relatives from a folder (config.json, safetensors, tokenizer files).
 * @throws CheckpointError naming the first parameter that is missing; ConfigError for a family that is no encoder.
 */
export async function loadEncoder(path: string): Promise<LoadedEncoder> {
  const { config, tensors, files, ggufMetadata } = await readModel(path);
  const family = encoderFromConfig(config);
  const modules = ggufMetadata ? undefined : await readModuleFiles(path);
  return {
    ...family,
    tensors,
    parameters: pickParameters(encoderParameters(family.encoder), tensors),
    tokenizer: ggufMetadata ? tokenizerFromGguf(ggufMetadata) : tokenizerFromFiles(files),
    pooling: modules
      ? sentenceModules(modules.modules, modules.configs).pooling
      : { modes: ["mean"], isNormalized: true },
  };
}

export interface EmbedOptions {
  /** Texts in one run. Default 16. */
  readonly batchSize?: number;
  /** Hears of a text that was cut at its end to fit the model, with its tokens. */
  readonly onCut?: (index: number, numTokens: number) => void;
}

/** A vector per text, in the order given. Texts of like length are run together. */
export async function embedTexts(
  runtime: Runtime,
  loaded: LoadedEncoder,
  texts: readonly string[],
  { batchSize = 16, onCut = () => {} }: EmbedOptions = {},
): Promise<Float32Array[]> {
  const { encoder, parameters, pooling } = loaded;
  const stages = embeddingChain(encoder, pooling);
  const encoded = texts.map((text, index) => ({ index, ids: idsOf(loaded, text, (count) => onCut(index, count)) }));
  encoded.sort((a, b) => a.ids.length - b.ids.length);
  const vectors = new Array<Float32Array>(texts.length);
  for (let start = 0; start < encoded.length; start += batchSize) {
    const group = encoded.slice(start, start + batchSize);
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

function idsOf({ encoder, tokenizer }: LoadedEncoder, text: string, onCut: (numTokens: number) => void): Int32Array {
  const { prefix, suffix } = tokenizer.template;
  const inside = tokenizer.encode(text);
  const room = encoder.maxPositions - prefix.length - suffix.length;
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
