/** @file Export to a folder that Hugging Face libraries load: config.json, model.safetensors, tokenizer files. */

import { join } from "node:path";
import type { CastType } from "../checkpoint/cast.js";
import { readModel, writeModel } from "../checkpoint/index.js";
import { modelFromConfig } from "../models/index.js";
import { forward } from "../plan/index.js";
import { toTokenizerJson } from "../tokenizers/index.js";
import { type Exporter, type ExportSource, precisions } from "./exporter.js";

export const safetensors: Exporter = {
  name: "safetensors",
  about: "a folder for Hugging Face libraries",
  dtypes: { float32: precisions.float32, float16: precisions.float16, bfloat16: precisions.bfloat16 },
  writes: "merged",
  async write(source, target, { dtype }) {
    const { config, parameters, families } = source;
    const files = tokenizerFilesOf(source);
    await writeModel(target, { config, tensors: parameters, files }, { dtype: dtype as CastType });
    const read = async () => (await readModel(target)).tensors;
    return {
      files: ["config.json", "model.safetensors", ...files.keys()].map((name) => join(target, name)),
      weights: read,
      logits: async (runtime, input) => {
        const stored = await readModel(target);
        const model = modelFromConfig(stored.config, families);
        return (await forward(runtime, model, stored.tensors, input)).logits;
      },
    };
  },
};

/** The files as they came, or a tokenizer.json made of what other programs do not read. */
function tokenizerFilesOf({ tokenizer, tokenizerFiles }: ExportSource): ReadonlyMap<string, Uint8Array> {
  const isForeign = [...tokenizerFiles.keys()].every((name) => name === "tokenizer.bin");
  if (!isForeign) return tokenizerFiles;
  const [bos, eos] = [tokenizer.template.prefix[0], tokenizer.template.suffix[0]];
  const tokens = Object.fromEntries(
    Object.entries({ bos_token: bos, eos_token: eos }).flatMap(([role, id]) =>
      id === undefined ? [] : [[role, tokenizer.token(id)]],
    ),
  );
  const settings = { tokenizer_class: "PreTrainedTokenizerFast", ...tokens };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return new Map([
    ["tokenizer.json", encode(toTokenizerJson(tokenizer))],
    ["tokenizer_config.json", encode(`${JSON.stringify(settings, undefined, 2)}\n`)],
  ]);
}
