/** @file Every tuning method: starts as it promises, trains what it names, merges to itself, survives the disk. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { countParameters, type LanguageModel, parameterSpecs } from "../../src/nn/index.js";
import {
  type AdapterOptions,
  createAdapter,
  loadAdapter,
  type MethodName,
  merge,
  methods,
  saveAdapter,
  tuningOf,
  unmerge,
} from "../../src/peft/index.js";
import { describeTraining, LossPlan, TrainPlan, type TrainPlanOptions } from "../../src/plan/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { tinyBatch, tinyModel, tinyParameters } from "../support/tiny-model.js";
import { exactLogits } from "../support/whole-model.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
  folder = await mkdtemp(join(tmpdir(), "tessera-peft-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

// with biases, so that every method finds something to train
const base = tinyModel({ tie_word_embeddings: false, attention_bias: true });
const ids = [1, 4, 9, 2];
const time = 8;
const batch = tinyBatch(1, time);
const shape = { batchSize: 1, time, packed: false, attentionTile: 4, lossTile: { rows: 8, vocabulary: 11 } } as const;

interface Case {
  readonly options?: Omit<AdapterOptions, "method">;
  /** Trained parameters, as a share of the base's, at most. */
  readonly share: number;
  /** Largest difference from the base at the start; absent where the method promises none. */
  readonly startsWithin?: number;
  /** Parameters through whose effect no gradient flows on purpose. */
  readonly detached?: RegExp;
}

const linears = { targets: ["q_proj", "up_proj", "down_proj"] };
const virtual = { config: { num_virtual_tokens: 2 } };
const cases: Readonly<Record<MethodName, Case>> = {
  full: { share: 1, startsWithin: 0 },
  lora: { options: linears, share: 0.8, startsWithin: 0 },
  rslora: { options: linears, share: 0.8, startsWithin: 0 },
  // magnitudes are lengths of rows, rounded to float32; the norm is detached (section 4.3 of its paper)
  dora: { options: linears, share: 0.8, startsWithin: 1e-6, detached: /lora_[AB]/ },
  "lora-fa": { options: linears, share: 0.5, startsWithin: 0 },
  longlora: { options: linears, share: 0.9, startsWithin: 0 },
  prompt: { options: virtual, share: 0.01 },
  prefix: { options: virtual, share: 0.02 },
  bitfit: { share: 0.03, startsWithin: 0 },
  ln: { share: 0.03, startsWithin: 0 },
  "last-layers": { options: { config: { layers: 1 } }, share: 0.6, startsWithin: 0 },
  select: { options: { config: { pattern: "layers\\.0\\..*k_proj" } }, share: 0.1, startsWithin: 0 },
};

/** A tuned model whose trained parameters are all away from their start. */
function trained(method: MethodName, { options = {} }: Case = cases[method]) {
  const adapter = createAdapter(base, { method, ...options });
  const tuning = tuningOf(base, adapter);
  const original = tinyParameters(base);
  const parameters = new Map([...tinyParameters(base), ...tuning.start(original)]);
  const rng = new Rng(4);
  const moved = [...parameters].filter(([name]) => tuning.isTrainable(name));
  for (const [, { data }] of moved)
    for (let i = 0; i < data.length; i++) data[i] = Number(data[i]) + 0.2 * rng.normal();
  return { adapter, ...tuning, original, parameters, names: moved.map(([name]) => name) };
}

const flat = (rows: Float64Array[]): number[] => rows.flatMap((row) => [...row]);
const worst = (a: number[], b: number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
const logits = (model: LanguageModel, parameters: ReadonlyMap<string, HostTensor>): number[] =>
  flat(exactLogits(model, parameters, ids));

async function lossOf(model: LanguageModel, parameters: ReadonlyMap<string, HostTensor>): Promise<number> {
  const plan = await LossPlan.create(runtime, model, shape, parameters);
  const loss = await plan.run(batch);
  plan.close();
  return loss;
}

/** Loss as training computes it, with its gradients. */
async function trainPlan({ model, isTrainable, parameters }: ReturnType<typeof trained>): Promise<TrainPlan> {
  const options: TrainPlanOptions = { ...shape, save: "selective", isTrainable, streamGradients: false };
  return TrainPlan.create(runtime, describeTraining(model, options), parameters);
}

describe.each(Object.keys(cases) as MethodName[])("%s", (name) => {
  const { share, startsWithin, detached } = cases[name];
  const method = methods[name];

  it("is registered under its name", () => {
    expect(method.name).toBe(name);
  });

  it.runIf(startsWithin !== undefined)("computes what the base does before training", () => {
    const adapter = createAdapter(base, { method: name, ...cases[name].options });
    const { model, start } = tuningOf(base, adapter);
    const parameters = new Map([...tinyParameters(base), ...start(tinyParameters(base))]);
    expect(worst(logits(model, parameters), logits(base, parameters))).toBeLessThanOrEqual(startsWithin!);
  });

  it("trains no more than its share of parameters", () => {
    const { model, isTrainable, names } = trained(name);
    const count = countParameters(parameterSpecs(model).filter((spec) => isTrainable(spec.name)));
    expect(names.length).toBeGreaterThan(0);
    expect(count / countParameters(parameterSpecs(base))).toBeLessThanOrEqual(share);
  });

  it("gets gradients for what it trains and for nothing else", async () => {
    const tuned = trained(name);
    const plan = await trainPlan(tuned);
    await plan.run(batch, { accumulate: false });
    expect([...plan.gradients.keys()].sort()).toEqual([...tuned.names].sort());
    for (const [key, { data }] of plan.gradients) {
      // a bias of keys moves all scores of a query alike, so that its gradient is nothing but rounding
      if (!key.endsWith("k_proj.bias"))
        expect(Math.max(...(data as Float32Array).map(Math.abs)), key).toBeGreaterThan(0);
    }
    plan.close();
  });

  it("has gradients that agree with finite differences of the training loss", async () => {
    const tuned = trained(name);
    const plan = await trainPlan(tuned);
    const moving = tuned.names.filter((key) => !detached?.test(key));
    await plan.run(batch, { accumulate: false });
    const gradients = new Map(moving.map((key) => [key, (plan.gradients.get(key)!.data as Float32Array).slice()]));
    const length = Math.hypot(...[...gradients.values()].flatMap((g) => [...g]));
    // along the gradient itself, where rounding weighs least: the slope is its length
    const step = 1e-2;
    const lossAt = async (by: number): Promise<number> => {
      for (const [key, gradient] of gradients) {
        const { data } = tuned.parameters.get(key)!;
        for (let i = 0; i < gradient.length; i++) data[i] = Number(data[i]) + (by * gradient[i]!) / length;
      }
      return plan.run(batch, { accumulate: false });
    };
    const [above, below] = [await lossAt(step), await lossAt(-2 * step)];
    // float32 losses near 3 differ by 1e-2 · slope here; their rounding and the third derivative stay below 1%
    expect((above - below) / (2 * step) / length).toBeCloseTo(1, 2);
    plan.close();
  });

  it("comes back from its folder with the same loss to the bit", async () => {
    const { adapter, model, parameters, names } = trained(name);
    const path = join(folder, name);
    await saveAdapter(path, base, adapter, parameters, { baseModel: "tiny" });
    const back = await loadAdapter(path, base, { method: name });
    expect(back.adapter).toEqual(adapter);
    for (const key of names) expect(back.parameters.get(key)!.data, key).toEqual(parameters.get(key)!.data);
    const again = new Map([...tinyParameters(base), ...back.parameters]);
    expect(await lossOf(tuningOf(base, back.adapter).model, again)).toBe(await lossOf(model, parameters));
  });

  it("merged into the base computes the same, or says why it cannot; likewise unmerged", () => {
    const { adapter, model, parameters, original } = trained(name);
    if (typeof method.merging === "string") {
      expect(() => merge(base, adapter, parameters)).toThrow("cannot be merged");
      expect(() => unmerge(base, adapter, parameters)).toThrow("cannot be taken out");
      return;
    }
    const expected = logits(model, parameters);
    expect(worst(expected, logits(base, original))).toBeGreaterThan(0.01);
    merge(base, adapter, parameters);
    expect(worst(logits(base, parameters), expected)).toBeLessThan(1e-5);
    if (typeof method.merging.unmerge === "string" || adapter.trained.length > 0) {
      expect(() => unmerge(base, adapter, parameters)).toThrow("cannot be taken out of merged weights");
      return;
    }
    unmerge(base, adapter, parameters);
    expect(worst(logits(base, parameters), logits(base, original))).toBeLessThan(1e-5);
  });

  it("refuses a base it does not fit, naming the first tensor, and settings that would change the result", async () => {
    const { adapter, parameters } = trained(name);
    const path = join(folder, `${name}-refused`);
    await saveAdapter(path, base, adapter, parameters);
    const other = tinyModel({ attention_bias: true, hidden_size: 24, tie_word_embeddings: false });
    await expect(loadAdapter(path, other)).rejects.toThrow(/does not fit this base: expected \S+ of shape/);
    const config = join(path, "adapter_config.json");
    const json = JSON.parse(await readFile(config, "utf8"));
    await writeFile(config, JSON.stringify({ ...json, use_something: true }));
    await expect(loadAdapter(path, base)).rejects.toThrow('"use_something": true');
  });

  it("refuses options and targets that it has not", () => {
    expect(() => createAdapter(base, { ...cases[name].options, method: name, targets: ["query"] })).toThrow(
      method.targets ? /query; this model has: q_proj/ : "attaches to no linear map",
    );
    expect(() => createAdapter(base, { method: name, config: { rank: 4 } })).toThrow('has no option "rank"');
  });
});

describe("adapters", () => {
  it("name what a model has where it has nothing that a method trains", () => {
    expect(() => createAdapter(tinyModel(), { method: "bitfit" })).toThrow(/llama model has none.*norms/);
    expect(() => createAdapter(base, { method: "bitfit", config: { modules: ["gate_proj"] } })).toThrow(
      "these have: q_proj, k_proj, v_proj, o_proj",
    );
    expect(() => createAdapter(base, { alsoTrain: ["pooler"] })).toThrow(/"pooler" is nothing in this llama model/);
    expect(() => createAdapter(base, { method: "select", config: { pattern: "(" } })).toThrow("no regular expression");
    expect(() => createAdapter(base, { method: "last-layers", config: { layers: 3 } })).toThrow("model has 2");
  });

  it("are attached once; another one goes on a merged base", () => {
    const adapter = createAdapter(base);
    const { model } = tuningOf(base, adapter);
    expect(() => tuningOf(model, adapter)).toThrow("merge its adapter before attaching another");
  });

  it("train parts of the base beside them, and keep those with them, tied or not", async () => {
    for (const tie of [true, false]) {
      const model = tinyModel({ tie_word_embeddings: tie });
      const adapter = createAdapter(model, { alsoTrain: ["embedding", "model.norm"] });
      expect(adapter.trained).toEqual(["model.embed_tokens.weight", "model.norm.weight"]);
      const { start, isTrainable } = tuningOf(model, adapter);
      expect(isTrainable("model.norm.weight") && !isTrainable("model.layers.0.input_layernorm.weight")).toBe(true);
      const parameters = new Map([...tinyParameters(model, 9), ...start(tinyParameters(model))]);
      const path = join(folder, `beside-${tie}`);
      await saveAdapter(path, model, adapter, parameters);
      const back = await loadAdapter(path, model);
      expect(back.adapter).toEqual(adapter);
      expect(back.parameters.get("model.norm.weight")!.data).toEqual(parameters.get("model.norm.weight")!.data);
    }
  });

  it("say what PEFT's format cannot hold", async () => {
    const adapter = createAdapter(base, { alsoTrain: ["biases"] });
    const parameters = new Map([...tinyParameters(base), ...tuningOf(base, adapter).start(tinyParameters(base))]);
    await expect(saveAdapter(join(folder, "part"), base, adapter, parameters)).rejects.toThrow(
      'of "model.layers.0.self_attn.q_proj" "model.layers.0.self_attn.q_proj.weight" is not trained',
    );
  });
});
