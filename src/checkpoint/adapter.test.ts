/** @file Tests of adapter folders, with one written by PEFT. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CheckpointError } from "../base/errors.js";
import { hostTensor } from "../base/host-tensor.js";
import { type AdapterConfig, readAdapter, writeAdapter } from "./adapter.js";

const golden = fileURLToPath(new URL("../../test/golden/safetensors/adapter", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "tessera-adapter-")), "adapter");
});
afterEach(() => rm(join(folder, ".."), { recursive: true }));

const key = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
const tensors = new Map([[key, hostTensor("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))]]);
const config: AdapterConfig = { peft_type: "LORA", r: 2, lora_alpha: 4, target_modules: ["q_proj"], bias: "none" };

it("reads an adapter of PEFT and writes the same weights file", async () => {
  const adapter = await readAdapter(golden);
  expect(adapter.config).toMatchObject({ peft_type: "LORA", r: 2, lora_alpha: 4, target_modules: ["q_proj"] });
  expect(adapter.tensors.get(key)?.shape).toEqual([2, 8]);
  expect(adapter.tensors.size).toBe(4);
  await writeAdapter(folder, adapter);
  expect(await readAdapter(folder)).toEqual(adapter);
  const [ours, theirs] = await Promise.all(
    [folder, golden].map((at) => readFile(join(at, "adapter_model.safetensors"))),
  );
  expect(ours).toEqual(theirs);
});

it("replaces an adapter and leaves other files alone", async () => {
  await writeAdapter(folder, { config: { ...config, r: 1 }, tensors: new Map() });
  await writeFile(join(folder, "README.md"), "mine");
  await writeAdapter(folder, { config, tensors });
  expect(await readAdapter(folder)).toEqual({ config, tensors });
  expect((await readdir(folder)).sort()).toEqual(["README.md", "adapter_config.json", "adapter_model.safetensors"]);
});

it("refuses configs that are none, before anything is written", async () => {
  const wrong: [AdapterConfig, RegExp][] = [
    [{ ...config, peft_type: "" }, /adapter_config.json: peft_type: /],
    [{ ...config, r: 1.5 }, /adapter_config.json: r: /],
    [{ ...config, lora_alpha: Number.NaN }, /adapter_config.json.lora_alpha is NaN/],
  ];
  for (const [bad, message] of wrong) {
    await expect(writeAdapter(folder, { config: bad, tensors })).rejects.toThrow(message);
  }
  await expect(readdir(folder)).rejects.toThrow("ENOENT");
});

it("says which file is missing or wrong", async () => {
  await expect(readAdapter(folder)).rejects.toThrow(/expected an adapter, but it has no adapter_config.json/);
  await writeAdapter(folder, { config, tensors });
  await writeFile(join(folder, "adapter_config.json"), '{"r":8}');
  await expect(readAdapter(folder)).rejects.toThrow(/adapter_config.json: peft_type: /);
  await writeFile(join(folder, "adapter_config.json"), '{"peft_type":"LORA"}');
  await rm(join(folder, "adapter_model.safetensors"));
  await expect(readAdapter(folder)).rejects.toThrow(CheckpointError);
  await expect(readAdapter(folder)).rejects.toThrow(/adapter_model.safetensors: ENOENT/);
});
