/** @file A model folder as one source of tensors, whether its weights lie in one file or in several with an index. */

import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import type { TypedArray } from "../base/dtype.js";
import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { ifThere } from "./byte-file.js";
import { parseJsonAs } from "./json.js";
import { refusePickles } from "./pickle.js";
import { openSafetensors } from "./safetensors-file.js";
import { lookUp, type TensorEntry, type TensorSource } from "./tensor-source.js";

const singleName = "model.safetensors";
const indexName = "model.safetensors.index.json";

/** `metadata.total_size` is not checked against the shards: published indexes are known to count shared tensors twice. */
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

class ShardedTensors implements TensorSource {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly #folder: string;
  readonly #shards: readonly TensorSource[];
  readonly #shardOf: ReadonlyMap<string, TensorSource>;

  constructor(folder: string, shards: readonly TensorSource[]) {
    this.metadata = shards[0]?.metadata ?? {};
    this.tensors = new Map(shards.flatMap((shard) => [...shard.tensors]));
    this.#folder = folder;
    this.#shards = shards;
    this.#shardOf = new Map(shards.flatMap((shard) => [...shard.tensors.keys()].map((name) => [name, shard])));
  }

  async read(name: string): Promise<HostTensor> {
    return lookUp(this.#shardOf, name, this.#folder, "tensor").read(name);
  }

  async readFloat32(name: string): Promise<HostTensor> {
    return lookUp(this.#shardOf, name, this.#folder, "tensor").readFloat32(name);
  }

  async readInto(name: string, target: TypedArray): Promise<void> {
    await lookUp(this.#shardOf, name, this.#folder, "tensor").readInto(name, target);
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens the weights of a model folder: `model.safetensors` if there is one, else the shards of `model.safetensors.index.json`
 * (the order in which Hugging Face Transformers looks).
 * @throws CheckpointError when there is neither, the index leads out of the folder or names a shard that is missing, or index
 * and shards disagree about which tensor is where.
 */
export async function openModelFolder(path: string): Promise<TensorSource> {
  const singlePath = join(path, singleName);
  // `stat` follows symbolic links: the Hugging Face cache consists of them
  if (await ifThere(stat(singlePath), singlePath)) return openSafetensors(singlePath);
  const indexPath = join(path, indexName);
  const json = await ifThere(readFile(indexPath), indexPath);
  if (json === undefined) {
    await refusePickles(path);
    throw new CheckpointError(`${path}: expected ${singleName} or ${indexName}, found neither`);
  }
  const { weight_map: fileOf } = parseJsonAs(json, indexSchema, indexPath);
  const files = [...new Set(Object.values(fileOf))].sort();
  for (const file of files) checkShardName(file, indexPath);
  await checkPresent(path, files, indexPath);
  const shards = await openAll(files.map((file) => join(path, file)));
  try {
    checkIndex(new Map(Object.entries(fileOf)), new Map(files.map((file, i) => [file, shards[i]!])), indexPath);
    return new ShardedTensors(path, shards);
  } catch (thrown) {
    await Promise.all(shards.map((shard) => shard.close()));
    throw thrown;
  }
}

/** Opens all files or, when one cannot be opened, none. */
async function openAll(paths: readonly string[]): Promise<TensorSource[]> {
  const opened: TensorSource[] = [];
  try {
    for (const path of paths) opened.push(await openSafetensors(path));
    return opened;
  } catch (thrown) {
    await Promise.all(opened.map((source) => source.close()));
    throw thrown;
  }
}

function checkShardName(file: string, indexPath: string): void {
  if (file === "" || isAbsolute(file) || file.includes("\0") || file.split(/[\\/]/).includes("..")) {
    throw new CheckpointError(`${indexPath}: expected shards inside its folder, found ${JSON.stringify(file)}`);
  }
  // an index among the shards would be a cycle, and whatever else is no safetensors file
  if (!file.endsWith(".safetensors")) {
    throw new CheckpointError(
      `${indexPath}: expected shards that are .safetensors files, found ${JSON.stringify(file)}`,
    );
  }
}

async function checkPresent(folder: string, files: readonly string[], indexPath: string): Promise<void> {
  const missing: string[] = [];
  for (const file of files) {
    if (!(await ifThere(stat(join(folder, file)), join(folder, file)))) missing.push(file);
  }
  if (missing.length === 0) return;
  throw new CheckpointError(
    `${indexPath}: ${missing.length} of ${files.length} shards are missing: ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}; download them again`,
  );
}

/** Checks that index and shards list the same tensors in the same places. */
function checkIndex(
  fileOf: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, TensorSource>,
  indexPath: string,
): void {
  for (const [name, file] of fileOf) {
    if (shards.get(file)?.tensors.has(name)) continue;
    const actual = [...shards].find(([, shard]) => shard.tensors.has(name))?.[0] ?? "no shard";
    throw new CheckpointError(
      `${indexPath}: expected tensor ${JSON.stringify(name)} in ${file}, found it in ${actual}`,
    );
  }
  for (const [file, shard] of shards) {
    const stray = [...shard.tensors.keys()].find((name) => fileOf.get(name) !== file);
    if (stray === undefined) continue;
    const expected = fileOf.get(stray) ?? "no shard";
    throw new CheckpointError(
      `${indexPath}: ${file} holds tensor ${JSON.stringify(stray)}, which the index places in ${expected}`,
    );
  }
}
