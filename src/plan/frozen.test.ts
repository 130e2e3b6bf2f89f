import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worstDifference } from "../../test/support/graph.js";
import { tinyBatch, tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { byteSize, type HostTensor } from "../base/host-tensor.js";
import {
  type FrozenFormatName,
  frozenFormats,
  frozenWeights,
  packFrozen,
  packFrozenAsRead,
  unpackFrozen,
} from "../compress/index.js";
import type { SavePolicy } from "../graph/index.js";
import { initialize, type LanguageModel, layerSpecs, linearShape, parameterSpecs } from "../nn/index.js";
import { adapterSpecs, attach, createAdapter, merge, tuningOf } from "../peft/index.js";
import { openDiskMemory, Runtime } from "../runtime/index.js";
import { adamw, Optimizer } from "../train/index.js";
import { describeTraining, type TrainPlanOptions } from "./describe.js";
import { forward } from "./forward.js";
import { LossPlan } from "./loss-plan.js";
import { estimateMemory } from "./memory.js";
import { TrainPlan } from "./train-plan.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

const base = tinyModel();
const model = attach(base, createAdapter(base, { config: { r: 2 } }));
const trained = new Set(adapterSpecs(base, model).map(({ name }) => name));
const batch = tinyBatch(2, 6);
const options: TrainPlanOptions = {
  batchSize: 2,
  time: 6,
  packed: false,
  attentionTile: 4,
  save: "all",
  lossTile: { rows: 100, vocabulary: 11 },
  isTrainable: (name) => trained.has(name),
  streamGradients: false,
};

/** Adapters that are not at their start, so that all of them have gradients. */
function parametersOf(of: LanguageModel): Map<string, HostTensor> {
  const specs = parameterSpecs(of).map((spec) => (trained.has(spec.name) ? { ...spec, init: { std: 0.3 } } : spec));
  return new Map([
    ...tinyParameters(base),
    ...initialize(
      specs.filter(({ name }) => trained.has(name)),
      3,
    ),
  ]);
}

async function step(changes: Partial<TrainPlanOptions>, parameters: Map<string, HostTensor>) {
  const plan = await TrainPlan.create(runtime, describeTraining(model, { ...options, ...changes }), parameters);
  const loss = await plan.run(batch, { accumulate: false });
  plan.close();
  return { loss, gradients: plan.gradients };
}

describe.each(Object.keys(frozenFormats) as FrozenFormatName[])("weights frozen as %s", (format) => {
  const frozen = frozenWeights(base, options.isTrainable, format);
  const packed = packFrozen(parametersOf(model), frozen);
  const unpacked = unpackFrozen(parameterSpecs(model), packed);

  it("are all linear maps of the layers, and no other parameter changes", () => {
    const matrices = layerSpecs(base).filter(linearShape);
    expect([...frozen.keys()]).toEqual(matrices.map(({ name }) => name));
    const original = parametersOf(model);
    for (const { name, shape } of parameterSpecs(model)) {
      expect(unpacked.get(name)!.shape).toEqual(shape);
      const difference = worstDifference(unpacked.get(name)!.data, original.get(name)!.data);
      if (frozen.has(name)) expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(frozen.has(name) ? (format === "nf4" ? 0.3 : 1e-3) : 1e-9);
    }
  });

  it("are packed as they are read", async () => {
    async function* read(): AsyncGenerator<readonly [string, HostTensor]> {
      yield* parametersOf(model);
    }
    expect(await packFrozenAsRead(read(), frozen)).toEqual(packed);
  });

  it.each(["all", "selective", "inputs"] as SavePolicy[])(
    "train an adapter as the values that they stand for do, and nothing of them is kept (save %s)",
    async (save) => {
      const [actual, expected] = [await step({ save, frozen }, packed), await step({ save }, unpacked)];
      // scales may be rounded differently by a product than by a fused multiply and add
      expect(actual.loss).toBeCloseTo(expected.loss, 5);
      expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()]);
      for (const [name, gradient] of expected.gradients) {
        expect(worstDifference(actual.gradients.get(name)!.data, gradient.data), name).toBeLessThan(1e-5);
        expect(worstDifference(gradient.data, new Float32Array(gradient.data.length))).toBeGreaterThan(1e-5);
      }
      const kept = (changes: Partial<TrainPlanOptions>): number =>
        estimateMemory(describeTraining(model, { ...options, save, ...changes })).residuals;
      expect(kept({ frozen })).toBe(kept({}));
    },
  );

  it("are read by evaluation and by the forward pass", async () => {
    const loss = async (parameters: Map<string, HostTensor>): Promise<number> => {
      const plan = await LossPlan.create(runtime, model, options, parameters);
      const value = await plan.run(batch);
      plan.close();
      return value;
    };
    expect(await loss(packed)).toBeCloseTo(await loss(unpacked), 5);
    const logits = async (parameters: Map<string, HostTensor>) =>
      (await forward(runtime, model, parameters, { ids: [[1, 2, 3]] })).logits.data;
    expect(worstDifference(await logits(packed), await logits(unpacked))).toBeLessThan(1e-5);
  });

  it("are counted as what they take", () => {
    const bytes = [...packed.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    const estimate = estimateMemory(describeTraining(model, { ...options, frozen }));
    expect(estimate.weights).toBe(bytes);
    const largest = Math.max(...layerSpecs(base).map(({ shape }) => byteSize("float32", shape)));
    const dense = estimateMemory(describeTraining(model, options));
    expect(estimate.workspace).toBeGreaterThanOrEqual(dense.workspace);
    expect(estimate.workspace).toBeLessThan(dense.workspace + 20 * largest);
  });
});

describe.skipIf(process.platform === "win32")("weights and states in files (skipped on Windows: no mmap)", () => {
  it("take the same steps, bit by bit, and leave RAM between them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tessera-paged-"));
    const memory = await openDiskMemory(folder);
    const frozen = frozenWeights(base, options.isTrainable, "nf4");
    const trajectory = async (isOnDisk: boolean): Promise<Map<string, HostTensor>> => {
      const packed = packFrozen(parametersOf(model), frozen);
      const where = isOnDisk ? runtime.paging(memory, 1) : runtime;
      const parameters = new Map([...packed].map(([name, t]) => [name, where.keep(t)]));
      const optimizer = await Optimizer.create(where, adamw(), { weightDecay: 0.1 });
      const plan = await TrainPlan.create(where, describeTraining(model, { ...options, frozen }), parameters);
      for (let i = 0; i < 3; i++) {
        await plan.run(batch, { accumulate: false });
        optimizer.begin({ step: i, learningRate: 0.01, gradientScale: 1 });
        for (const [name, gradient] of plan.gradients) await optimizer.update(name, parameters.get(name)!, gradient);
      }
      plan.close();
      optimizer.close();
      return new Map([...parameters, ...optimizer.states()]);
    };
    const [onDisk, inMemory] = [await trajectory(true), await trajectory(false)];
    expect([...onDisk.keys()]).toEqual([...inMemory.keys()]);
    for (const [name, { data }] of inMemory) expect(onDisk.get(name)!.data, name).toEqual(data);
    const [first] = trained;
    expect(inMemory.get(first!)!.data).not.toEqual(parametersOf(model).get(first!)!.data);
    await rm(folder, { recursive: true });
  });
});

describe.each(["dora", "rslora", "lora-fa", "ln"] as const)("method %s", (method) => {
  it("runs over NF4 as over the values that it stands for", async () => {
    const tuning = tuningOf(base, createAdapter(base, { method }));
    const start = new Map([...tinyParameters(base), ...tuning.start(tinyParameters(base), { seed: 1 })]);
    const frozen = frozenWeights(base, tuning.isTrainable, "nf4");
    const packed = packFrozen(start, frozen);
    const gradients = async (parameters: Map<string, HostTensor>, changes: Partial<TrainPlanOptions>) => {
      const description = describeTraining(tuning.model, { ...options, isTrainable: tuning.isTrainable, ...changes });
      const plan = await TrainPlan.create(runtime, description, parameters);
      await plan.run(batch, { accumulate: false });
      plan.close();
      return plan.gradients;
    };
    const expected = await gradients(unpackFrozen(parameterSpecs(tuning.model), packed), {});
    for (const [name, gradient] of await gradients(packed, { frozen }))
      expect(worstDifference(gradient.data, expected.get(name)!.data), name).toBeLessThan(1e-5);
    expect(expected.size).toBeGreaterThan(0);
  });
});

describe("weights that cannot be frozen in packed form", () => {
  const describeWith = (name: string) => (): unknown =>
    describeTraining(model, { ...options, frozen: new Map([[name, "nf4"]]) });

  it("are those that are trained, and those that are no linear maps of layers", () => {
    expect(describeWith([...trained][0]!)).toThrow("is trained");
    expect(describeWith(base.embedding.name)).toThrow("no matrix of a linear map");
    expect(describeWith("model.norm.weight")).toThrow("no matrix of a linear map");
  });

  it("are merged with an adapter when they are unpacked only", () => {
    const packed = packFrozen(parametersOf(model), frozenWeights(base, options.isTrainable, "nf4"));
    const adapter = createAdapter(base, { config: { r: 2 } });
    expect(() => merge(base, adapter, packed)).toThrow("is packed (uint8)");
    expect(() => merge(base, adapter, unpackFrozen(parameterSpecs(model), packed))).not.toThrow();
  });

  it("are those whose values a form cannot hold", () => {
    const big = { dtype: "float32", shape: [1], data: Float32Array.of(1e6) } as const;
    expect(() => packFrozen([["w", big]], new Map([["w", "float16"]]))).toThrow("out of range");
  });
});
