/** @file A model on disk, opened: config, tokenizer files, and tensors read one at a time, whatever the container. */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointError } from "../base/errors.js";
import { ifThere } from "./byte-file.js";
import type { GgufValue } from "./gguf/metadata.js";
import { openGgufModel } from "./gguf/model.js";
import { isPlainObject, type JsonValue, parseJson } from "./json.js";
import { openLlama2c } from "./llama2c.js";
import { refusePickledFile } from "./pickle.js";
import { openModelFolder } from "./sharded.js";
import type { ModelTensors } from "./tensor-source.js";

/** An open model. Close it when its tensors are read. */
export interface ModelSource extends ModelTensors {
  readonly config: Readonly<Record<string, JsonValue>>;
  /** Tokenizer files by name (`TOKENIZER_FILES`). */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Metadata of a GGUF file, which holds the tokenizer. */
  readonly ggufMetadata?: ReadonlyMap<string, GgufValue>;
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
 * Opens a model folder, a GGUF file (or a folder with one and no config.json), or a llama2.c checkpoint file with `tokenizer.bin`
 * (or `tok<vocabulary size>.bin`) beside it. No tensor is read yet.
 * @throws CheckpointError when the path is none of these, or something in it cannot be trusted.
 */
export async function openModelSource(path: string): Promise<ModelSource> {
  const found = await ifThere(stat(path), path);
  if (!found)
    throw new CheckpointError(
      `${path}: there is no such file or folder; expected a model folder, a GGUF file or a llama2.c checkpoint`,
    );
  return found.isDirectory() ? openFolder(path) : openModelFile(path);
}

async function openModelFile(path: string): Promise<ModelSource> {
  if (path.endsWith(".gguf")) {
    const { metadata, ...model } = await openGgufModel(path);
    return { ...model, files: new Map(), ggufMetadata: metadata };
  }
  await refusePickledFile(path);
  return openLlama2cModel(path);
}

async function openFolder(folder: string): Promise<ModelSource> {
  const config = await readConfig(folder);
  if (!config) return openModelFile(await onlyGguf(folder));
  const files = await readBeside(folder, TOKENIZER_FILES);
  const source = await openModelFolder(folder);
  return {
    config,
    files,
    names: new Set(source.tensors.keys()),
    readFloat32: (name) => source.readFloat32(name),
    [Symbol.asyncDispose]: () => source.close(),
  };
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

async function openLlama2cModel(path: string): Promise<ModelSource> {
  const { config, ...tensors } = await openLlama2c(path);
  const beside = await readBeside(dirname(path), ["tokenizer.bin", `tok${config.vocab_size}.bin`]);
  const [tokenizer] = [...beside.values()].reverse();
  if (!tokenizer) {
    await tensors[Symbol.asyncDispose]();
    throw new CheckpointError(
      `${basename(path)} needs its tokenizer beside it: expected tokenizer.bin or tok${config.vocab_size}.bin in ${dirname(path)}`,
    );
  }
  return { ...tensors, config: { ...config }, files: new Map([["tokenizer.bin", tokenizer]]) };
}

export async function readBeside(folder: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await ifThere(readFile(join(folder, name)), join(folder, name));
    if (bytes) files.set(name, bytes);
  }
  return files;
}
