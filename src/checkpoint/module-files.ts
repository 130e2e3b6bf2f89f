/** @file modules.json of sentence-transformers and the config of each module it names. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError } from "../base/errors.js";
import { ifThere } from "./byte-file.js";
import { isPlainObject, type JsonValue, parseJson } from "./json.js";

export interface ModuleFiles {
  readonly modules: JsonValue;
  /** config.json of each module that has one, by the module's path. */
  readonly configs: Readonly<Record<string, JsonValue>>;
  /** config_sentence_transformers.json: prompts. */
  readonly settings?: JsonValue;
  /** sentence_bert_config.json of the folder: the longest text. */
  readonly encoder?: JsonValue;
}

/**
 * Reads them from a model's folder; undefined where there is no modules.json.
 * @throws CheckpointError when a module lies outside the folder, or a file is no JSON.
 */
export async function readModuleFiles(folder: string): Promise<ModuleFiles | undefined> {
  const modules = await readJson(join(folder, "modules.json"));
  if (modules === undefined) return undefined;
  const paths = Array.isArray(modules) ? modules.map((entry) => (isPlainObject(entry) ? entry.path : undefined)) : [];
  const configs: Record<string, JsonValue> = {};
  for (const path of paths) {
    if (typeof path !== "string" || path === "") continue;
    if (!/^[\w.-]+$/.test(path) || path.startsWith(".")) {
      throw new CheckpointError(`${folder}/modules.json: ${JSON.stringify(path)} is no folder of this model`);
    }
    const config = await readJson(join(folder, path, "config.json"));
    if (config !== undefined) configs[path] = config;
  }
  const settings = await readJson(join(folder, "config_sentence_transformers.json"));
  const encoder = await readJson(join(folder, "sentence_bert_config.json"));
  return { modules, configs, ...(settings !== undefined && { settings }), ...(encoder !== undefined && { encoder }) };
}

async function readJson(path: string): Promise<JsonValue | undefined> {
  const bytes = await ifThere(readFile(path), path);
  return bytes && parseJson(bytes, path);
}
