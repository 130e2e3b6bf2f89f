/** @file A served model as a folder on disk, for what opens models by their paths. */

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "../../src/checkpoint/index.js";
import type { LoadedModel } from "../../src/presets/index.js";
import { toTokenizerJson } from "../../src/tokenizers/index.js";

/** Writes a model into a new folder, which the caller removes. */
export async function savedModel({ config, parameters, tokenizer, tokenizerFiles }: LoadedModel): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "tessera-model-")), "model");
  const json = new TextEncoder().encode(toTokenizerJson(tokenizer));
  await writeModel(folder, {
    config,
    tensors: parameters,
    files: new Map([...tokenizerFiles, ["tokenizer.json", json]]),
  });
  return folder;
}
