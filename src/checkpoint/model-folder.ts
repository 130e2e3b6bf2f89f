/** @file Model folders as Hugging Face lays them out: config.json, safetensors, tokenizer files. */

import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointError } from "../base/errors.js";
import { asFloat32, type HostTensor, hostTensor } from "../base/host-tensor.js";
import { createFolder, writeDurably } from "./atomic.js";
import { ifThere } from "./byte-file.js";
import { encodeJson, isPlainObject, type JsonValue, parseJson } from "./json.js";
import { readLlama2c } from "./llama2c.js";
import { encodeSafetensors } from "./safetensors.js";
import { openModelFolder } from "./sharded.js";

/** What a model on disk consists of. */
export interface StoredModel {
  readonly config: Readonly<Record<string, JsonValue>>;
  /** By name, as float32. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Tokenizer files by name (`tokenizer.json`, or llama2.c's `tokenizer.bin`). */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer.bin"];

/**
 * Reads a model folder, or a llama2.c checkpoint file with `tokenizer.bin` (or `tok<vocabulary size>.bin`) beside it.
 * @throws CheckpointError when the path is neither, or something in it cannot be trusted.
 */
export async function readModel(path: string): Promise<StoredModel> {
  const found = await ifThere(stat(path), path);
  if (!found)
    throw new CheckpointError(
      `${path}: there is no such file or folder; expected a model folder or a llama2.c checkpoint`,
    );
  return found.isDirectory() ? readFolder(path) : readLlama2cModel(path);
}

async function readFolder(folder: string): Promise<StoredModel> {
  const path = join(folder, "config.json");
  const bytes = await ifThere(readFile(path), path);
  if (!bytes) throw new CheckpointError(`${folder} has no config.json, so it is not a model folder`);
  const config = parseJson(bytes, path);
  if (!isPlainObject(config)) throw new CheckpointError(`${path}: expected an object`);
  const tensors = new Map<string, HostTensor>();
  await using source = await openModelFolder(folder);
  for (const name of source.tensors.keys()) {
    const tensor = await source.read(name);
    tensors.set(name, hostTensor("float32", tensor.shape, asFloat32(tensor)));
  }
  return { config, tensors, files: await readBeside(folder, TOKENIZER_FILES) };
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

async function readBeside(folder: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await ifThere(readFile(join(folder, name)), join(folder, name));
    if (bytes) files.set(name, bytes);
  }
  return files;
}

/**
 * Writes a model folder that Hugging Face libraries load. It appears complete or not at all.
 * @throws CheckpointError when the folder is there with contents, or cannot be written.
 */
export async function writeModel(folder: string, { config, tensors, files }: StoredModel): Promise<void> {
  await createFolder(folder, async (temporary) => {
    const json = new TextEncoder().encode(`${encodeJson(config, "config.json")}\n`);
    await writeDurably(join(temporary, "config.json"), [json]);
    await writeDurably(join(temporary, "model.safetensors"), encodeSafetensors(tensors, { format: "pt" }));
    for (const [name, bytes] of files) await writeDurably(join(temporary, name), [bytes]);
  });
}
