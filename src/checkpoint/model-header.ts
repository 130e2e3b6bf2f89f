/** @file What a model on disk says of itself: config, tokenizer files, and types and shapes of its tensors, without their values. */

import { stat } from "node:fs/promises";
import { byteSize } from "../base/host-tensor.js";
import { ifThere } from "./byte-file.js";
import type { GgufValue } from "./gguf/metadata.js";
import { ggufConfig } from "./gguf/model.js";
import { readGguf } from "./gguf/read.js";
import type { JsonValue } from "./json.js";
import { readModel } from "./model-folder.js";
import { onlyGguf, readBeside, readConfig, TOKENIZER_FILES } from "./model-source.js";
import { openModelFolder } from "./sharded.js";

export interface StoredTensor {
  /** As the container names it: `bfloat16`, `Q4_K`. */
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface ModelHeader {
  readonly container: "safetensors" | "GGUF" | "llama2.c";
  readonly config: Readonly<Record<string, JsonValue>>;
  /** By the container's names. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly ggufMetadata?: ReadonlyMap<string, GgufValue>;
}

/**
 * Reads what comes before the values of a model (see `readModel` for what is one). A llama2.c file has no header to speak
 * of and is read whole.
 * @throws CheckpointError when the path is no model.
 */
export async function readModelHeader(path: string): Promise<ModelHeader> {
  const isFolder = (await ifThere(stat(path), path))?.isDirectory() ?? false;
  if (!isFolder) return path.endsWith(".gguf") ? ggufHeader(path) : llama2cHeader(path);
  const config = await readConfig(path);
  if (!config) return ggufHeader(await onlyGguf(path));
  await using source = await openModelFolder(path);
  const tensors = [...source.tensors].map(([name, { dtype, ...rest }]) => [name, { type: dtype, ...rest }] as const);
  const files = await readBeside(path, TOKENIZER_FILES);
  return { container: "safetensors", config, tensors: new Map(tensors), files };
}

async function ggufHeader(path: string): Promise<ModelHeader> {
  await using file = await readGguf(path);
  return {
    container: "GGUF",
    config: await ggufConfig(file, path),
    tensors: file.tensors,
    files: new Map(),
    ggufMetadata: file.metadata,
  };
}

async function llama2cHeader(path: string): Promise<ModelHeader> {
  const { config, tensors, files } = await readModel(path);
  const entries = [...tensors].map(
    ([name, { dtype, shape }]) => [name, { type: dtype, shape, bytes: byteSize(dtype, shape) }] as const,
  );
  return { container: "llama2.c", config, tensors: new Map(entries), files };
}
