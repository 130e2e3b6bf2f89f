/** @file Whole models in memory, from disk and to disk: folders as Hugging Face lays them out (config.json, safetensors, tokenizer files). */

import { join } from "node:path";
import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { createFolder, writeDurably } from "./atomic.js";
import { type CastType, castFloats } from "./cast.js";
import { encodeJson } from "./json.js";
import { type ModelSource, openModelSource } from "./model-source.js";
import { nonFiniteIn } from "./non-finite.js";
import { encodeSafetensors } from "./safetensors.js";

/** What a model on disk consists of. */
export interface StoredModel extends Pick<ModelSource, "config" | "files" | "ggufMetadata"> {
  /** By name, as float32. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

export interface ReadModelOptions {
  /** Refuse a model with a value that is NaN or infinite. Default false: it reads every value once more. */
  readonly checkFinite?: boolean;
}

/**
 * Reads a model (see `openModelSource` for what is one). Tensors are read one at a time and converted piece by piece, so that
 * nothing is in memory twice.
 * @throws CheckpointError when the path is no model, or something in it cannot be trusted.
 */
export async function readModel(path: string, { checkFinite = false }: ReadModelOptions = {}): Promise<StoredModel> {
  await using source = await openModelSource(path);
  const tensors = new Map<string, HostTensor>();
  for (const name of source.names) {
    const tensor = await source.readFloat32(name);
    if (checkFinite) refuseNonFinite(path, name, tensor);
    tensors.set(name, tensor);
  }
  const { config, files, ggufMetadata } = source;
  return { config, files, tensors, ...(ggufMetadata && { ggufMetadata }) };
}

function refuseNonFinite(path: string, name: string, tensor: HostTensor): void {
  const found = nonFiniteIn(tensor);
  if (found === undefined) return;
  throw new CheckpointError(
    `${path}: tensor ${JSON.stringify(name)} holds ${found.value} at element ${found.index}; the checkpoint is damaged or its training diverged`,
  );
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
