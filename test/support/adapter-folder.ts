/** @file LoRA adapters with random values, in folders as PEFT writes them. */

import type { HostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { initialize, type LanguageModel } from "../../src/nn/index.js";
import { type Adapter, adapterSpecs, attach, createAdapter, saveAdapter } from "../../src/peft/index.js";

/** Writes one whose matrices are all away from their start, as after training. */
export async function writeRandomAdapter(
  folder: string,
  model: LanguageModel,
  { seed, targets }: { readonly seed: number; readonly targets: readonly string[] },
): Promise<{ readonly adapter: Adapter; readonly parameters: Map<string, HostTensor> }> {
  const adapter = createAdapter(model, { targets, config: { r: 4, lora_alpha: 8 } });
  const parameters = initialize(adapterSpecs(model, attach(model, adapter)), seed);
  const rng = new Rng(seed);
  for (const { data } of parameters.values()) for (let i = 0; i < data.length; i++) data[i] = 0.3 * rng.normal();
  await saveAdapter(folder, model, adapter, parameters);
  return { adapter, parameters };
}
