/** @file Export of an adapter alone, for PEFT. */

import { join } from "node:path";
import { ConfigError } from "../base/errors.js";
import { attach, loadAdapter, saveAdapter } from "../peft/index.js";
import { forward } from "../plan/index.js";
import { type Exporter, precisions } from "./exporter.js";

export const peft: Exporter = {
  name: "peft",
  about: "the adapter alone, for Hugging Face's PEFT",
  dtypes: { float32: precisions.float32 },
  writes: "adapter",
  async write({ model, parameters, adapter }, target) {
    if (!adapter) throw new ConfigError("exporting to peft writes an adapter alone; give one with --adapter");
    const { definition, baseModel } = adapter;
    await saveAdapter(target, model, definition, adapter.parameters, { baseModel });
    return {
      files: ["adapter_config.json", "adapter_model.safetensors"].map((name) => join(target, name)),
      weights: async () => (await loadAdapter(target, model)).parameters,
      logits: async (runtime, input) => {
        const read = await loadAdapter(target, model);
        const all = new Map([...parameters, ...read.parameters]);
        return (await forward(runtime, attach(model, read.adapter), all, input)).logits;
      },
    };
  },
};
