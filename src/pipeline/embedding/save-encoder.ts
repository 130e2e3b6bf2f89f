/** @file An encoder with its pooling as a folder that sentence-transformers reads. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UnsupportedError } from "../../base/errors.js";
import { createFolder, encodeSafetensors, type JsonValue, writeDurably } from "../../checkpoint/index.js";
import { sentenceModuleFiles } from "../../models/index.js";
import type { LoadedEncoder } from "../../presets/index.js";

/**
 * Writes config.json, model.safetensors, tokenizer files, modules.json, 1_Pooling, 2_Normalize where vectors are
 * normalised, and config_sentence_transformers.json with the prompts. The folder appears complete or not at all.
 * @param card README.md.
 * @throws CheckpointError when the folder is there with contents or cannot be written; UnsupportedError for an encoder of a
 * GGUF file, whose tokenizer has no files.
 */
export async function saveEncoder(folder: string, loaded: LoadedEncoder, card?: string): Promise<void> {
  const { encoder, tensors, files, pooling, prompts, maxTokens } = loaded;
  if (files.size === 0) {
    throw new UnsupportedError(
      `writing ${folder}: the tokenizer came out of a GGUF file and has no files to write; take a base in a folder`,
    );
  }
  const text = (value: string): Uint8Array[] => [new TextEncoder().encode(value)];
  const json = (value: JsonValue): Uint8Array[] => text(`${JSON.stringify(value, null, 2)}\n`);
  const modules = sentenceModuleFiles({ pooling, prompts, maxTokens, width: encoder.hiddenSize });
  await createFolder(folder, async (temporary) => {
    await writeDurably(join(temporary, "config.json"), json(encoder.config as JsonValue));
    await writeDurably(join(temporary, "model.safetensors"), encodeSafetensors(tensors, { format: "pt" }));
    for (const [name, bytes] of files) await writeDurably(join(temporary, name), [bytes]);
    for (const name of modules.folders) await mkdir(join(temporary, name));
    for (const [name, value] of Object.entries(modules.files))
      await writeDurably(join(temporary, name), json(value as JsonValue));
    if (card !== undefined) await writeDurably(join(temporary, "README.md"), text(card));
  });
}
