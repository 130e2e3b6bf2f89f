/** @file Adapter folders as Hugging Face PEFT writes them: `adapter_config.json` and `adapter_model.safetensors`. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError, messageOf } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { makeFolder, replaceFiles } from "./atomic.js";
import { ifThere } from "./byte-file.js";
import { encodeJson, type JsonValue, parseJsonAs } from "./json.js";
import { encodeSafetensors } from "./safetensors.js";
import { openSafetensors } from "./safetensors-file.js";

const configName = "adapter_config.json";
const weightsName = "adapter_model.safetensors";

/** Keys that more than one method shares; the others are kept as they are, for the method to judge. */
const configSchema = z.looseObject({
  peft_type: z.string().min(1),
  base_model_name_or_path: z.string().nullish(),
  task_type: z.string().nullish(),
  target_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  r: z.int().positive().optional(),
  lora_alpha: z.number().optional(),
});

/** The contents of `adapter_config.json`, keys as in PEFT. */
export interface AdapterConfig {
  readonly peft_type: string;
  readonly [key: string]: JsonValue;
}

export interface Adapter {
  readonly config: AdapterConfig;
  /** By PEFT key, such as `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/**
 * Writes an adapter folder, making it where it does not exist. Other files in it are left alone; an adapter in it is replaced only when the new
 * one is complete on the disk.
 * @throws CheckpointError when the config is not one, or the folder cannot be written.
 */
export async function writeAdapter(folder: string, { config, tensors }: Adapter): Promise<void> {
  const configPath = join(folder, configName);
  const json = new TextEncoder().encode(`${encodeJson(config, configPath)}\n`);
  parseConfig(json, configPath);
  try {
    await makeFolder(folder);
  } catch (thrown) {
    throw new CheckpointError(`cannot make ${folder}: ${messageOf(thrown)}`, { cause: thrown });
  }
  await replaceFiles([
    [join(folder, weightsName), encodeSafetensors(tensors, { format: "pt" })],
    [configPath, [json]],
  ]);
}

/**
 * Reads an adapter folder.
 * @throws CheckpointError when a file is missing or not valid. Adapters of old PEFT versions (`adapter_model.bin`, a Python pickle) cannot be
 * read: a pickle runs code.
 */
export async function readAdapter(folder: string): Promise<Adapter> {
  const configPath = join(folder, configName);
  const json = await ifThere(readFile(configPath), configPath);
  if (json === undefined) throw new CheckpointError(`${folder}: expected an adapter, but it has no ${configName}`);
  const config = parseConfig(json, configPath);
  await using file = await openSafetensors(join(folder, weightsName));
  const tensors = new Map<string, HostTensor>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
  return { config, tensors };
}

function parseConfig(json: Uint8Array, path: string): AdapterConfig {
  return parseJsonAs(json, configSchema, path) as AdapterConfig;
}
