import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { openSafetensors, readModel } from "../checkpoint/index.js";
import { modelFromConfig } from "../models/index.js";
import type { LanguageModel } from "../nn/index.js";
import { forward } from "../plan/index.js";
import { Runtime } from "../runtime/index.js";
import { type Adapter, type AdapterOptions, createAdapter, tuningOf } from "./adapter.js";
import { loadAdapter, saveAdapter } from "./adapter-folder.js";
import { withVirtualTokens } from "./virtual-tokens.js";

const golden = fileURLToPath(new URL("../../test/golden/", import.meta.url));
const peer = process.env.TESSERA_PEER_PYTHON;

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
  folder = await mkdtemp(join(tmpdir(), "tessera-published-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

const ids = [1, 17, 42, 5, 90, 33, 8];

async function baseAt(name: string) {
  const { config, tensors } = await readModel(join(golden, "families", name));
  return { model: modelFromConfig(config), parameters: tensors };
}

/** Logits of the text's own tokens. */
async function logitsOf(base: LanguageModel, adapter: Adapter, parameters: ReadonlyMap<string, HostTensor>) {
  const tuning = tuningOf(base, adapter);
  const { logits } = await forward(runtime, tuning.model, parameters, { ids: [withVirtualTokens(tuning, ids)] });
  return (logits.data as Float32Array).slice(tuning.numVirtualTokens * base.vocabSize);
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), Math.abs(a.length - b.length));

/** Float32 sums in another order; logits are of up to 6. */
const CLOSE = 2e-5;

describe("adapters that Hugging Face PEFT wrote", () => {
  it.each([
    ["lora", "lora"],
    ["rslora", "rslora"],
    ["dora", "dora"],
    ["lora-modules", "lora"],
    ["ln", "ln"],
    ["prompt", "prompt"],
    ["prefix", "prefix"],
  ])("%s is read as %s and computes what PEFT computes", async (name, method) => {
    const base = await baseAt("llama");
    const { adapter, parameters } = await loadAdapter(join(golden, "peft", name), base.model);
    expect(adapter.method).toBe(method);
    await using file = await openSafetensors(join(golden, "peft", name, "expected.safetensors"));
    const expected = (await file.read("logits")).data as Float32Array;
    const actual = await logitsOf(base.model, adapter, new Map([...base.parameters, ...parameters]));
    expect(worst(actual, expected)).toBeLessThan(CLOSE);
  });
});

const ours: Readonly<Record<string, AdapterOptions & { readonly base?: string }>> = {
  lora: {},
  rslora: { method: "rslora", config: { r: 4 } },
  dora: { method: "dora" },
  "dora over biases": { method: "dora", base: "llama_llama3" },
  "dora and rslora": { method: "dora", config: { use_rslora: true } },
  "lora-fa": { method: "lora-fa" },
  longlora: { method: "longlora" },
  "longlora, tied": { method: "longlora", base: "llama_llama3" },
  "lora over transposed weights": { base: "gpt2" },
  "lora with the head": { alsoTrain: ["head"] },
  prompt: { method: "prompt", config: { num_virtual_tokens: 3 } },
  prefix: { method: "prefix", config: { num_virtual_tokens: 3 } },
  "prefix of a network": { method: "prefix", config: { num_virtual_tokens: 3, prefix_projection: true } },
  "prefix for learned positions": { method: "prefix", base: "gpt2" },
  "prompt for learned positions": { method: "prompt", base: "gpt2" },
  ln: { method: "ln" },
  "ln with biases": { method: "ln", base: "gpt2" },
};

describe.skipIf(!peer)("adapters that PEFT reads (needs TESSERA_PEER_PYTHON)", () => {
  it("compute there what they compute here", { timeout: 300_000 }, async () => {
    const expected = new Map<string, { base: string; logits: Float32Array }>();
    for (const [i, [name, { base: baseName = "llama", ...options }]] of Object.entries(ours).entries()) {
      const base = await baseAt(baseName);
      const adapter = createAdapter(base.model, options);
      const tuning = tuningOf(base.model, adapter);
      const parameters = new Map([...base.parameters, ...tuning.start(base.parameters)]);
      const rng = new Rng(i);
      for (const [key, { data }] of parameters) {
        if (tuning.isTrainable(key))
          for (let j = 0; j < data.length; j++) data[j] = Number(data[j]) + 0.2 * rng.normal();
      }
      await saveAdapter(join(folder, name), base.model, adapter, parameters, { baseModel: baseName });
      expected.set(name, { base: baseName, logits: await logitsOf(base.model, adapter, parameters) });
    }
    const script = fileURLToPath(new URL("../../tools/golden/adapters.py", import.meta.url));
    const pairs = [...expected].flatMap(([name, { base }]) => [join(golden, "families", base), join(folder, name)]);
    const env = { ...process.env, OMP_NUM_THREADS: "1" };
    const { stdout } = await promisify(execFile)(peer!, [script, "check", ...pairs], { env, maxBuffer: 2 ** 26 });
    const found = JSON.parse(stdout.trim().split("\n").at(-1)!) as number[][];
    for (const [i, [name, { logits }]] of [...expected].entries())
      expect(worst(logits, found[i]!), name).toBeLessThan(CLOSE);
  });
});
