/** @file Every parameter-efficient method: starts as the base, merges to itself, trains alone, survives the disk. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { initialize, type LanguageModel } from "../../src/nn/index.js";
import {
  adapterSpecs,
  attach,
  createAdapter,
  loadAdapter,
  type MethodName,
  merge,
  methods,
  type PeftMethod,
  saveAdapter,
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

const base = tinyModel({ tie_word_embeddings: false });
const ids = [1, 4, 9, 2];
const batch = tinyBatch(1, 6);
const shape = {
  batchSize: 1,
  time: 6,
  packed: false,
  attentionTile: 4,
  lossTile: { rows: 6, vocabulary: 11 },
} as const;

/** An adapter whose parameters are all away from their start, as after training. */
function trainedAdapter(method: MethodName) {
  const adapter = createAdapter(base, { method, targets: ["q_proj", "up_proj", "down_proj"] });
  const model = attach(base, adapter);
  const own = initialize(adapterSpecs(base, model), 3);
  const rng = new Rng(4);
  for (const { data } of own.values()) for (let i = 0; i < data.length; i++) data[i] = 0.2 * rng.normal();
  return { adapter, model, own, parameters: new Map([...tinyParameters(base), ...own]) };
}

const flat = (rows: Float64Array[]): number[] => rows.flatMap((row) => [...row]);
const worst = (a: number[], b: number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
const logits = (model: LanguageModel, parameters: ReadonlyMap<string, HostTensor>): number[] =>
  flat(exactLogits(model, parameters, ids));

describe.each(Object.entries(methods) as [MethodName, PeftMethod][])("%s", (name, method) => {
  it("is registered under its name", () => {
    expect(method.name).toBe(name);
  });

  it("computes exactly what the base does before training", () => {
    const model = attach(base, createAdapter(base, { method: name }));
    const parameters = new Map([...tinyParameters(base), ...initialize(adapterSpecs(base, model), 3)]);
    expect(logits(model, parameters)).toEqual(logits(base, parameters));
  });

  it("has no more than a few parameters, all new, on its targets only", () => {
    const { own } = trainedAdapter(name);
    expect([...own.keys()].every((key) => /layers\.\d\.(self_attn\.q_proj|mlp\.(up|down)_proj)\./.test(key))).toBe(
      true,
    );
  });

  it.runIf(method.delta)("merged into the base, computes the same; unmerged, leaves the base", () => {
    const { adapter, model, parameters } = trainedAdapter(name);
    const expected = logits(model, parameters);
    const before = logits(base, parameters);
    expect(worst(expected, before)).toBeGreaterThan(0.1);
    merge(base, adapter, parameters);
    expect(worst(logits(base, parameters), expected)).toBeLessThan(1e-5);
    unmerge(base, adapter, parameters);
    expect(worst(logits(base, parameters), before)).toBeLessThan(1e-5);
  });

  it("gets gradients for all of its parameters and none of the base's", async () => {
    const { model, own, parameters } = trainedAdapter(name);
    const options: TrainPlanOptions = {
      ...shape,
      save: "selective",
      isTrainable: (key) => own.has(key),
      streamGradients: false,
    };
    const plan = await TrainPlan.create(runtime, describeTraining(model, options), parameters);
    await plan.run(batch, { accumulate: false });
    expect([...plan.gradients.keys()].sort()).toEqual([...own.keys()].sort());
    for (const [key, { data }] of plan.gradients)
      expect(Math.max(...(data as Float32Array).map(Math.abs)), key).toBeGreaterThan(0);
    plan.close();
  });

  it("comes back from its folder with the same loss to the bit", async () => {
    const { adapter, model, own, parameters } = trainedAdapter(name);
    const path = join(folder, name);
    await saveAdapter(path, base, adapter, parameters, { baseModel: "tiny" });
    const back = await loadAdapter(path, base);
    expect(back.adapter).toEqual(adapter);
    for (const [key, { data }] of own) expect(back.parameters.get(key)!.data).toEqual(data);
    const lossOf = async (m: LanguageModel, p: ReadonlyMap<string, HostTensor>): Promise<number> => {
      const plan = await LossPlan.create(runtime, m, shape, p);
      const loss = await plan.run(batch);
      plan.close();
      return loss;
    };
    const again = new Map([...tinyParameters(base), ...back.parameters]);
    expect(await lossOf(attach(base, back.adapter), again)).toBe(await lossOf(model, parameters));
  });

  it("refuses a base it does not fit, naming the first tensor, and settings that would change the result", async () => {
    const { adapter, parameters } = trainedAdapter(name);
    const path = join(folder, `${name}-refused`);
    await saveAdapter(path, base, adapter, parameters);
    const other = tinyModel({ intermediate_size: 40 });
    await expect(loadAdapter(path, other)).rejects.toThrow(/expected base_model\.model\.model\.layers\.0\.mlp/);
    const config = join(path, "adapter_config.json");
    const json = JSON.parse(await readFile(config, "utf8"));
    await writeFile(config, JSON.stringify({ ...json, use_something: true }));
    await expect(loadAdapter(path, base)).rejects.toThrow('"use_something": true');
  });

  it("names targets that the model has not", () => {
    expect(() => createAdapter(base, { method: name, targets: ["query"] })).toThrow(/query; this model has: q_proj/);
  });
});
