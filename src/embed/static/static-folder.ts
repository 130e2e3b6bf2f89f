/** @file Static embedding models on disk, as sentence-transformers lays them out: modules.json and 0_StaticEmbedding. */

import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError, messageOf } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import {
  createFolder,
  encodeSafetensors,
  parseSafetensors,
  readModuleFiles,
  writeDurably,
} from "../../checkpoint/index.js";
import { staticModulePath } from "../../models/index.js";
import { tokenizerFromJson } from "../../tokenizers/index.js";
import { dequantizeRows, StaticModel, type TokenTable } from "./static-model.js";

/** Names in model.safetensors; model2vec's own files say `embeddings`. */
const WEIGHT = "embedding.weight";
const SCALES = "embedding.scales";

export interface LoadedStaticModel {
  readonly model: StaticModel;
  /** The first 12 hex digits of the SHA-256 of weights and tokenizer. */
  readonly contentHash: string;
}

/** Path of the static module within a model's folder; undefined where the model is another. */
export async function staticModuleOf(folder: string): Promise<string | undefined> {
  const files = await readModuleFiles(folder);
  return files && staticModulePath(files.modules);
}

/**
 * Reads a model from a folder: float32 as sentence-transformers writes it, or int8 rows with `embedding.scales`.
 * @throws CheckpointError when it is no static model, a file is missing, or weights and tokenizer do not fit.
 */
export async function readStaticModel(folder: string): Promise<LoadedStaticModel> {
  const path = await staticModuleOf(folder);
  if (path === undefined) throw new CheckpointError(`${folder}: modules.json names no StaticEmbedding`);
  const weights = await fileOf(join(folder, path, "model.safetensors"));
  const json = await fileOf(join(folder, path, "tokenizer.json"));
  const { tensors } = parseSafetensors(weights, join(folder, path, "model.safetensors"));
  const tokenizer = tokenizerFromJson(new TextDecoder().decode(json));
  const contentHash = createHash("sha256").update(weights).update(json).digest("hex").slice(0, 12);
  return { model: new StaticModel(tokenizer, tableOf(tensors, folder)), contentHash };
}

async function fileOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw new CheckpointError(`${path} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function tableOf(tensors: ReadonlyMap<string, HostTensor>, folder: string): TokenTable {
  const weight = tensors.get(WEIGHT) ?? tensors.get("embeddings");
  const [numRows = 0, dimension = 0] = weight?.shape ?? [];
  if (weight?.shape.length === 2 && weight.data instanceof Float32Array) return { dimension, values: weight.data };
  const scales = tensors.get(SCALES)?.data;
  if (weight?.data instanceof Int8Array && scales instanceof Float32Array && scales.length === numRows) {
    return { dimension, values: weight.data, scales };
  }
  const found = [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype}[${shape}]`).join(", ");
  throw new CheckpointError(
    `${folder}: expected ${WEIGHT} as float32 [tokens, dimension], or as int8 with ${SCALES} float32 [tokens], got ${found}`,
  );
}

export interface WriteStaticOptions {
  /** Contents of tokenizer.json. */
  readonly tokenizerJson: string;
  /** Keep int8 rows, a quarter of the size, which sentence-transformers does not read. Default false: float32. */
  readonly keepQuantized?: boolean;
  /** README.md. */
  readonly card?: string;
}

/** Writes a new folder. @throws CheckpointError when it is there with contents. */
export async function writeStaticModel(folder: string, table: TokenTable, options: WriteStaticOptions): Promise<void> {
  const { tokenizerJson, keepQuantized = false, card } = options;
  const { dimension, scales } = table;
  const shape = [table.values.length / dimension, dimension];
  const tensors: [string, HostTensor][] =
    scales && keepQuantized
      ? [
          [WEIGHT, { dtype: "int8", shape, data: table.values }],
          [SCALES, { dtype: "float32", shape: [shape[0]!], data: scales }],
        ]
      : [[WEIGHT, { dtype: "float32", shape, data: dequantizeRows(table) }]];
  const text = (value: string): Uint8Array[] => [new TextEncoder().encode(value)];
  const json = (value: unknown): Uint8Array[] => text(`${JSON.stringify(value, null, 2)}\n`);
  await createFolder(folder, async (temporary) => {
    await mkdir(join(temporary, "0_StaticEmbedding"));
    await mkdir(join(temporary, "1_Normalize"));
    await writeDurably(join(temporary, "modules.json"), json(modules));
    await writeDurably(join(temporary, "config_sentence_transformers.json"), json(settings));
    await writeDurably(join(temporary, "0_StaticEmbedding", "model.safetensors"), encodeSafetensors(tensors));
    await writeDurably(join(temporary, "0_StaticEmbedding", "tokenizer.json"), text(tokenizerJson));
    if (card !== undefined) await writeDurably(join(temporary, "README.md"), text(card));
  });
}

const modules = ["StaticEmbedding", "Normalize"].map((kind, idx) => ({
  idx,
  name: String(idx),
  path: `${idx}_${kind}`,
  type: `sentence_transformers.models.${kind}`,
}));
const settings = { prompts: {}, default_prompt_name: null, similarity_fn_name: "cosine" };
