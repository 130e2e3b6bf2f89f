/** @file Every model family against transformers: logits, hidden states, loss, gradients, greedy text; files; adapters. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { readModel, writeModel } from "../../src/checkpoint/index.js";
import { Generator, Weights } from "../../src/engine/index.js";
import { runOnnx, writeOnnx } from "../../src/export/index.js";
import { constant, graph } from "../../src/graph/index.js";
import { families, modelFromConfig } from "../../src/models/index.js";
import { initialize, loadBalancingLoss, parameterSpecs, ROUTER_LOGITS } from "../../src/nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../../src/peft/index.js";
import {
  describeTraining,
  estimateMemory,
  forward,
  LossPlan,
  TrainPlan,
  type TrainPlanOptions,
} from "../../src/plan/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { noteFigures } from "../support/golden.js";
import { type GoldenFamily, goldenFamily, goldenNames } from "../support/golden-family.js";

let runtime: Runtime;
let scratch: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  scratch = await mkdtemp(join(tmpdir(), "tessera-families-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(scratch, { recursive: true });
});

/** float32 against float32 with another order of sums: what the issue allows. */
const LIMIT = 1e-4;

/** Largest difference over the tokens of a batch; padding is left out. */
function worstOnTokens({ mask }: GoldenFamily, actual: HostTensor, expected: HostTensor): number {
  const width = expected.shape.at(-1)!;
  const kept = mask.flatMap((row) => [...row]);
  let worst = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const difference = Math.abs(Number(actual.data[i]) - Number(expected.data[i]));
    if (kept[Math.floor(i / width)] === 1 && !(difference <= worst)) worst = difference;
  }
  return worst;
}

/** Largest difference, relative to the largest value. */
function relative(actual: HostTensor, expected: HostTensor): number {
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    worst = Math.max(worst, Math.abs(Number(actual.data[i]) - Number(expected.data[i])));
    largest = Math.max(largest, Math.abs(Number(expected.data[i])));
  }
  return worst / largest;
}

/** Mean difference, relative to the mean size. */
function meanDifference(actual: HostTensor, expected: HostTensor): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    difference += Math.abs(Number(actual.data[i]) - Number(expected.data[i]));
    size += Math.abs(Number(expected.data[i]));
  }
  return difference / size;
}

function trainOptions({ model, ids }: GoldenFamily): TrainPlanOptions {
  return {
    batchSize: ids.length,
    time: ids[0]!.length,
    packed: true,
    attentionTile: 8,
    lossTile: { rows: 16, vocabulary: model.vocabSize },
    save: "selective",
    isTrainable: () => true,
    streamGradients: false,
  };
}

async function generate(generator: Generator, prompt: Int32Array, maxTokens: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generator.generate(prompt, { maxTokens })) ids.push(id);
  return ids;
}

describe("families", () => {
  it("have a golden checkpoint each", async () => {
    const covered = new Set<string>();
    for (const name of goldenNames) covered.add((await goldenFamily(name)).model.family);
    expect([...covered].sort()).toEqual(Object.keys(families).sort());
  });

  it("are named by an unknown model_type, with the way to add one", () => {
    expect(() => modelFromConfig({ model_type: "mamba" })).toThrow(
      /"mamba" is not supported; supported are: bloom, .*smollm3.*defineFamily/,
    );
  });
});

describe.each(goldenNames)("%s", (name) => {
  let golden: GoldenFamily;
  beforeAll(async () => {
    golden = await goldenFamily(name);
  });

  it("has the parameters of the checkpoint, no more and no fewer", async () => {
    const { tensors } = await readModel(golden.folder);
    const shapes = (entries: Iterable<readonly [string, readonly number[]]>): string[] =>
      [...entries].map(([key, shape]) => `${key} [${shape}]`).sort();
    expect(shapes(parameterSpecs(golden.model).map((spec) => [spec.name, spec.shape] as const))).toEqual(
      shapes([...tensors].map(([key, { shape }]) => [key, shape] as const)),
    );
  });

  it("computes logits and hidden states, with padding on either side", async () => {
    const { model, parameters, ids, mask, expected } = golden;
    const result = await forward(runtime, model, parameters, { ids, mask }, { inner: true, attentionTile: 8 });
    const logits = worstOnTokens(golden, result.logits, expected.get("logits")!);
    const states = [...expected.keys()].filter((key) => key.startsWith("hidden."));
    const hidden = states.map((key) =>
      worstOnTokens(golden, result.hiddenStates![Number(key.slice("hidden.".length))]!, expected.get(key)!),
    );
    noteFigures(name, { logits, hidden: Math.max(0, ...hidden) });
    expect(logits).toBeLessThan(LIMIT);
    for (const [i, difference] of hidden.entries()) expect(difference, states[i]!).toBeLessThan(LIMIT);
  });

  it("shows the attention that its logits come from", async () => {
    const { model, parameters, ids, mask, expected } = golden;
    const { logits, attention } = await forward(runtime, model, parameters, { ids, mask }, { attention: true });
    expect(worstOnTokens(golden, logits, expected.get("logits")!)).toBeLessThan(LIMIT);
    expect(attention).toHaveLength(model.caches.filter((cache) => cache !== undefined).length);
    const time = ids[0]!.length;
    for (const { shape, data } of attention!) {
      expect([shape[0], shape[2], shape[3]]).toEqual([ids.length, time, time]);
      for (let row = 0; row < data.length; row += time) {
        const query = (row / time) % time;
        const seen = Array.from({ length: time }, (_, key) => Number(data[row + key]));
        expect(Math.abs(seen.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-5);
        expect(Math.max(0, ...seen.slice(query + 1))).toBe(0);
      }
    }
  });

  it.each([true, false])("computes the same as an ONNX file, cache %s", async (cache) => {
    const { model, parameters, ids, mask, expected } = golden;
    const path = join(scratch, `${name}-${cache}.onnx`);
    const signature = await writeOnnx(path, model, parameters, { cache, contextLength: ids[0]!.length });
    const logits = await runOnnx(runtime, path, model, signature, { ids, mask });
    expect(worstOnTokens(golden, logits, expected.get("logits")!)).toBeLessThan(LIMIT);
  });

  it("computes loss and gradients, also by tiles of the vocabulary", async () => {
    const { model, parameters, batch, expected } = golden;
    const options = trainOptions(golden);
    const loss = Number(expected.get("loss")!.data[0]);
    for (const vocabulary of [model.vocabSize, 40]) {
      const description = describeTraining(model, { ...options, lossTile: { rows: 16, vocabulary } });
      const plan = await TrainPlan.create(runtime, description, parameters);
      expect(Math.abs((await plan.run(batch, { accumulate: false })) - loss)).toBeLessThan(LIMIT);
      const gradients = [...expected.keys()].filter((key) => key.startsWith("gradient."));
      expect(gradients.length).toBeGreaterThanOrEqual(3);
      const differences = gradients.map((key) =>
        relative(plan.gradients.get(key.slice("gradient.".length))!, expected.get(key)!),
      );
      for (const [i, difference] of differences.entries()) expect(difference, gradients[i]!).toBeLessThan(LIMIT);
      if (vocabulary === model.vocabSize) noteFigures(name, { gradients: Math.max(...differences) });
      plan.close();
    }
    const plan = await LossPlan.create(runtime, model, options, parameters);
    expect(Math.abs((await plan.run(batch)) - loss)).toBeLessThan(LIMIT);
    plan.close();
  });

  it("streams gradients layer by layer, equal to those that are kept", async () => {
    const { model, parameters, batch, expected } = golden;
    const description = describeTraining(model, { ...trainOptions(golden), streamGradients: true });
    const plan = await TrainPlan.create(runtime, description, parameters);
    const seen = new Map<string, number>();
    await plan.run(batch, {
      accumulate: false,
      sink: async (gradients) => {
        for (const [key, gradient] of gradients) {
          const reference = expected.get(`gradient.${key}`);
          seen.set(key, reference ? relative(gradient, reference) : 0);
        }
      },
    });
    expect([...seen.keys()].sort()).toEqual(
      parameterSpecs(model)
        .map((spec) => spec.name)
        .sort(),
    );
    expect(Math.max(...seen.values())).toBeLessThan(LIMIT);
    plan.close();
  });

  it("has the gradients of all tokens where all but the last, which no other sees, are selected", async () => {
    const { model, parameters, batch } = golden;
    const options = trainOptions(golden);
    const { time } = options;
    const isLast = (place: number): boolean => place % time === time - 1;
    const weights = batch.weights.map((weight, place) => (isLast(place) ? 0 : weight));
    const selected = Int32Array.from(batch.ids.keys()).filter((place) => !isLast(place));
    const whole = await TrainPlan.create(runtime, describeTraining(model, options), parameters);
    const loss = await whole.run({ ...batch, weights }, { accumulate: false });
    for (const save of ["selective", "inputs"] as const) {
      const description = describeTraining(model, { ...options, save, selectedTokens: 1 - 1 / time });
      const plan = await TrainPlan.create(runtime, description, parameters);
      expect(Math.abs((await plan.run({ ...batch, selected }, { accumulate: false })) - loss)).toBeLessThan(LIMIT);
      for (const [key, gradient] of whole.gradients)
        expect(relative(plan.gradients.get(key)!, gradient), key).toBeLessThan(LIMIT);
      plan.close();
    }
    whole.close();
  });

  it("learns: the loss falls over a few steps, and the memory is known before", async () => {
    const { model, parameters, batch } = golden;
    const description = describeTraining(model, trainOptions(golden));
    expect(estimateMemory(description).total).toBeGreaterThan(0);
    const own = new Map([...parameters].map(([key, t]) => [key, { ...t, data: (t.data as Float32Array).slice() }]));
    const plan = await TrainPlan.create(runtime, description, own);
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      losses.push(await plan.run(batch, { accumulate: false }));
      for (const [key, { data }] of plan.gradients) {
        const values = own.get(key)!.data;
        for (let i = 0; i < data.length; i++) values[i] = Number(values[i]) - 0.05 * Number(data[i]);
      }
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.02);
    plan.close();
  });

  it("continues greedily as the reference does, however the prompt is cut", async () => {
    const { model, parameters, prompt, continuation } = golden;
    const weights = new Weights(model, parameters, "float32");
    const contextLength = Math.min(model.maxPositions, prompt.length + continuation.length);
    for (const prefillTokens of [256, 4, 1]) {
      const generator = await Generator.create(runtime, model, weights, { contextLength, prefillTokens });
      expect(await generate(generator, prompt, continuation.length), `pieces of ${prefillTokens}`).toEqual(
        continuation,
      );
    }
  });

  it("computes the same logits over a cache", async () => {
    const { model, parameters, ids, expected } = golden;
    const weights = new Weights(model, parameters, "float32");
    const row = Int32Array.from(ids[0]!);
    const last = expected
      .get("logits")!
      .data.subarray((row.length - 1) * model.vocabSize, row.length * model.vocabSize);
    for (const prefillTokens of [256, 5, 1]) {
      const generator = await Generator.create(runtime, model, weights, { contextLength: row.length, prefillTokens });
      const logits = await generator.logitsAfter(row);
      const cached = Math.max(...logits.map((value, i) => Math.abs(value - Number(last[i]))));
      noteFigures(name, { cached, prefillTokens });
      expect(cached, `pieces of ${prefillTokens}`).toBeLessThan(LIMIT);
    }
  });

  it("generates from weights of 8 bits", async () => {
    const { model, parameters, prompt, ids, mask } = golden;
    const weights = new Weights(model, parameters, "int8");
    const generator = await Generator.create(runtime, model, weights, { contextLength: 64 });
    const text = await generate(generator, prompt, 8);
    expect(text.length).toBe(8);
    // what was packed is near what it was packed from
    const [exact, packed] = await Promise.all(
      [parameters, weights.unpacked()].map((p) => forward(runtime, model, p, { ids, mask })),
    );
    expect(meanDifference(packed!.logits, exact!.logits)).toBeLessThan(0.1);
    expect(weights.bytes).toBeLessThan(0.6 * new Weights(model, parameters, "float32").bytes);
  });

  it("comes back from disk to the bit", async () => {
    const { model, parameters } = golden;
    const path = join(scratch, name);
    await writeModel(path, { config: JSON.parse(JSON.stringify(model.config)), tensors: parameters, files: new Map() });
    const back = await readModel(path);
    const again = modelFromConfig(back.config);
    expect(JSON.parse(JSON.stringify(again.config))).toEqual(JSON.parse(JSON.stringify(model.config)));
    for (const [key, { data }] of parameters) expect(back.tensors.get(key)!.data, key).toEqual(data);
  });

  it("takes a LoRA adapter that starts as the base and gets gradients", async () => {
    const { model, parameters, batch } = golden;
    const adapter = createAdapter(model, { method: "lora" });
    const adapted = attach(model, adapter);
    const own = initialize(adapterSpecs(model, adapted), 3);
    expect(own.size).toBeGreaterThan(0);
    const all = new Map([...parameters, ...own]);
    const options = { ...trainOptions(golden), isTrainable: (key: string) => own.has(key) };
    const plan = await TrainPlan.create(runtime, describeTraining(adapted, options), all);
    const loss = Number(golden.expected.get("loss")!.data[0]);
    expect(Math.abs((await plan.run(batch, { accumulate: false })) - loss)).toBeLessThan(LIMIT);
    expect([...plan.gradients.keys()].sort()).toEqual([...own.keys()].sort());
    const moved = [...plan.gradients].filter(([, { data }]) => (data as Float32Array).some((v) => v !== 0));
    // A gets a gradient only once B has left zero
    expect(moved.every(([key]) => key.endsWith("lora_B.weight"))).toBe(true);
    expect(moved.length).toBe(own.size / 2);
    plan.close();
  });

  it.runIf(["mixtral", "qwen3_moe"].includes(name))("has the reference's load-balancing loss", async () => {
    const { model, parameters, ids, mask, expected } = golden;
    const { reports } = await forward(runtime, model, parameters, { ids, mask }, { inner: true });
    const logits = reports!.flatMap((report) => report[ROUTER_LOGITS] ?? []);
    const counted = Float32Array.from(mask.flatMap((row) => [...row]));
    const program = await runtime.compile(
      graph("balance", { counted: { dtype: "float32", shape: [counted.length, 1] } }, (inputs) => ({
        loss: loadBalancingLoss(logits.map(constant), 2, inputs.counted!),
      })),
    );
    const { loss } = await program.run({
      counted: { dtype: "float32", shape: [counted.length, 1], data: counted },
    });
    const difference = Math.abs(Number(loss!.data[0]) - Number(expected.get("aux_loss")!.data[0]));
    noteFigures(name, { balance: difference });
    expect(difference).toBeLessThan(LIMIT);
  });
});
