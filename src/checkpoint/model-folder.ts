/** @file Models on disk: folders as Hugging Face lays them out (config.json, safetensors, tokenizer files), GGUF files, llama2.c checkpoints. */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { createFolder, writeDurably } from "./atomic.js";
import { ifThere } from "./byte-file.js";
import { type CastType, castFloats } from "./cast.js";
import type { GgufValue } from "./gguf/metadata.js";
import { readGgufModel } from "./gguf/model.js";
import { encodeJson, isPlainObject, type JsonValue, parseJson } from "./json.js";
import { readLlama2c } from "./llama2c.js";
import { nonFiniteIn } from "./non-finite.js";
import { refusePickledFile } from "./pickle.js";
import { encodeSafetensors } from "./safetensors.js";
import { openModelFolder } from "./sharded.js";

/** What a model on disk consists of. */
export interface StoredModel {
  readonly config: Readonly<Record<string, JsonValue>>;
  /** By name, as float32. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Tokenizer files by name (`TOKENIZER_FILES`). */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Metadata of a GGUF file, which holds the tokenizer. */
  readonly ggufMetadata?: ReadonlyMap<string, GgufValue>;
}

export interface ReadModelOptions {
  /** Refuse a model with a value that is NaN or infinite. Default false: it reads every value once more. */
  readonly checkFinite?: boolean;
}

/** Files of a tokenizer, its chat template and how to generate, in all the forms that libraries write. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.model",
  "spiece.model",
  "sentencepiece.bpe.model",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "chat_template.jinja",
  "generation_config.json",
  "tokenizer.bin",
];

/**
 * Reads a model folder, a GGUF file (or a folder with one and no config.json), or a llama2.c checkpoint file with `tokenizer.bin` (or
 * `tok<vocabulary size>.bin`) beside it. Tensors are read one at a time and converted piece by piece, so that nothing is in memory twice.
 * @throws CheckpointError when the path is none of these, or something in it cannot be trusted.
 */
export async function readModel(path: string, { checkFinite = false }: ReadModelOptions = {}): Promise<StoredModel> {
  const found = await ifThere(stat(path), path);
  if (!found)
    throw new CheckpointError(
      `${path}: there is no such file or folder; expected a model folder, a GGUF file or a llama2.c checkpoint`,
    );
  const model = found.isDirectory() ? await readFolder(path) : await readModelFile(path);
  if (checkFinite) {
    for (const [name, tensor] of model.tensors) refuseNonFinite(path, name, tensor);
  }
  return model;
}

function refuseNonFinite(path: string, name: string, tensor: HostTensor): void {
  const found = nonFiniteIn(tensor);
  if (found === undefined) return;
  throw new CheckpointError(
    `${path}: tensor ${JSON.stringify(name)} holds ${found.value} at element ${found.index}; the checkpoint is damaged or its training diverged`,
  );
}

async function readModelFile(path: string): Promise<StoredModel> {
  if (path.endsWith(".gguf")) {
    const { config, tensors, metadata } = await readGgufModel(path);
    return { config, tensors, files: new Map(), ggufMetadata: metadata };
  }
  await refusePickledFile(path);
  return readLlama2cModel(path);
}

async function readFolder(folder: string): Promise<StoredModel> {
  const config = await readConfig(folder);
  if (!config) return readModelFile(await onlyGguf(folder));
  const tensors = new Map<string, HostTensor>();
  await using source = await openModelFolder(folder);
  for (const name of source.tensors.keys()) {
    tensors.set(name, await source.readFloat32(name));
  }
  return { config, tensors, files: await readBeside(folder, TOKENIZER_FILES) };
}

/** A folder's config.json; undefined where there is none. */
export async function readConfig(folder: string): Promise<Record<string, JsonValue> | undefined> {
  const path = join(folder, "config.json");
  const bytes = await ifThere(readFile(path), path);
  if (!bytes) return undefined;
  const config = parseJson(bytes, path);
  if (!isPlainObject(config)) throw new CheckpointError(`${path}: expected an object`);
  return config;
}

/** The GGUF file of a folder without config.json, as the hub has them. */
export async function onlyGguf(folder: string): Promise<string> {
  const found = (await readdir(folder)).filter((name) => name.endsWith(".gguf"));
  if (found.length === 1) return join(folder, found[0]!);
  if (found.length === 0) throw new CheckpointError(`${folder} has no config.json, so it is not a model folder`);
  throw new CheckpointError(
    `${folder} has no config.json but ${found.length} GGUF files; give the path of one: ${found.join(", ")}`,
  );
}

async function readLlama2cModel(path: string): Promise<StoredModel> {
  const { config, tensors } = await readLlama2c(path);
  const beside = await readBeside(dirname(path), ["tokenizer.bin", `tok${config.vocab_size}.bin`]);
  const [tokenizer] = [...beside.values()].reverse();
  if (!tokenizer) {
    throw new CheckpointError(
      `${basename(path)} needs its tokenizer beside it: expected tokenizer.bin or tok${config.vocab_size}.bin in ${dirname(path)}`,
    );
  }
  return { config: { ...config }, tensors, files: new Map([["tokenizer.bin", tokenizer]]) };
}

export async function readBeside(folder: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await ifThere(readFile(join(folder, name)), join(folder, name));
    if (bytes) files.set(name, bytes);
  }
  return files;
}

export interface WriteModelOptions {
  /** Type of the floating-point tensors in the file. Default float32. Values are rounded to nearest, one tensor at a time. */
  readonly dtype?: CastType;
}

/**
 * Writes a model folder that Hugging Face libraries load. It appears complete or not at all.
 * @throws CheckpointError when the folder is there with contents, or cannot be written.
 */
export async function writeModel(
  folder: string,
  { config, tensors, files }: StoredModel,
  { dtype = "float32" }: WriteModelOptions = {},
): Promise<void> {
  await createFolder(folder, async (temporary) => {
    const json = new TextEncoder().encode(`${encodeJson(config, "config.json")}\n`);
    await writeDurably(join(temporary, "config.json"), [json]);
    await writeDurably(
      join(temporary, "model.safetensors"),
      encodeSafetensors(castFloats(tensors, dtype), { format: "pt" }),
    );
    for (const [name, bytes] of files) await writeDurably(join(temporary, name), [bytes]);
  });
}
