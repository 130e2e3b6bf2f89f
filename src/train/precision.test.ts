import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worstDifference } from "../../test/support/graph.js";
import { tinyBatch, tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { fromBFloat16, toBFloat16 } from "../base/dtype.js";
import { hostTensor } from "../base/host-tensor.js";
import { cast, graph, type SavePolicy } from "../graph/index.js";
import { describeTraining, estimateMemory, type Precision, TrainPlan, type TrainPlanOptions } from "../plan/index.js";
import { loadModel } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import { lomo, mezo } from "./algorithms/index.js";
import { packDocuments } from "./data/packing.js";
import { type TrainContext, type TrainEvent, type TrainOptions, type TrainSummary, train } from "./loop.js";
import { LossScale } from "./loss-scale.js";
import { adamw, sgd } from "./optim/index.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), "tessera-precision-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

const halves = ["float16", "bfloat16"] as const;

it("rounds to bfloat16 as the host does, and keeps values that are bfloat16 exactly", async () => {
  const codes = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((code) =>
    Number.isFinite(fromBFloat16(code)),
  );
  const exact = Float32Array.from(codes, fromBFloat16);
  const between = exact.map((v) => v * 1.0031);
  const values = Float32Array.from([...exact, ...between].filter(Number.isFinite));
  const there = graph("there", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => ({ y: cast(x!, "bfloat16") }));
  const back = graph("back", { x: { dtype: "bfloat16", shape: ["n"] } }, ({ x }) => ({ y: cast(x!, "float32") }));
  const [down, up] = [await runtime.compile(there), await runtime.compile(back)];
  const { y: stored } = await down.run({ x: hostTensor("float32", [values.length], values) });
  const wrong = values.findIndex((value, i) => toBFloat16(value) !== Number(stored!.data[i]));
  expect(wrong).toBe(-1);
  const { y } = await up.run({ x: stored! });
  expect(exact.findIndex((value, i) => value !== y!.data[i])).toBe(-1);
  expect(exact.length).toBe(2 ** 16 - 2 ** 8);
});

const shape: Omit<TrainPlanOptions, "precision"> = {
  batchSize: 2,
  time: 6,
  packed: false,
  attentionTile: 4,
  save: "all",
  lossTile: { rows: 5, vocabulary: 11 },
  isTrainable: () => true,
  streamGradients: false,
};

describe.each(halves)("a step whose hidden states and residuals lie in %s", (precision) => {
  const model = tinyModel();
  const parameters = tinyParameters(model);

  it.each([
    ["all", 11],
    ["selective", 4],
    ["inputs", 11],
  ] as [SavePolicy, number][])(
    "has nearly the gradients of float32 (save %s, %i tokens a tile)",
    async (save, tokens) => {
      const gradients = async (changes: Partial<TrainPlanOptions>) => {
        const options = { ...shape, save, lossTile: { rows: 5, vocabulary: tokens }, ...changes };
        const plan = await TrainPlan.create(runtime, describeTraining(model, options), parameters);
        const losses = [await plan.run(tinyBatch(2, 6), { accumulate: false })];
        losses.push(await plan.run(tinyBatch(2, 6), { accumulate: true }));
        plan.close();
        return { losses, gradients: plan.gradients };
      };
      const [actual, expected] = [await gradients({ precision }), await gradients({})];
      // bfloat16 keeps 8 bits of every hidden state, float16 keeps 11; a few such roundings add up
      const tolerance = precision === "bfloat16" ? 5e-2 : 6e-3;
      for (const [i, loss] of expected.losses.entries())
        expect(Math.abs(actual.losses[i]! / loss - 1)).toBeLessThan(tolerance);
      for (const [name, { data }] of expected.gradients) {
        const difference = worstDifference(actual.gradients.get(name)!.data, data);
        expect(difference, name).toBeLessThan(tolerance);
        expect(difference, name).toBeGreaterThan(0);
      }
    },
  );

  it("takes half the bytes of them", () => {
    const [half, whole] = [precision, "float32" as const].map((stored) =>
      estimateMemory(describeTraining(model, { ...shape, precision: stored })),
    );
    expect(half!.activations).toBe(whole!.activations / 2);
    expect(half!.residuals).toBe(whole!.residuals / 2);
    expect(half!.gradients).toBe(whole!.gradients);
  });
});

/** Counting up modulo 11: learnable, not trivial. */
const counting = packDocuments(
  Array.from({ length: 40 }, (_, i) => ({ ids: Int32Array.from({ length: 9 }, (_, j) => (i * 3 + j) % 11) })),
  16,
);

function optionsOf(changes: Partial<TrainOptions> = {}): TrainOptions {
  return {
    ...shape,
    steps: 8,
    accumulate: 2,
    precision: "float16",
    lossTile: { rows: 32, vocabulary: 11 },
    optimizer: adamw(),
    weightDecay: 0.01,
    schedule: { name: "cosine", peak: 1e-2, warmupSteps: 2, totalSteps: 8, finalShare: 0.1 },
    clipNorm: 1,
    seed: 7,
    evaluateEvery: 0,
    patience: null,
    ...changes,
  };
}

async function finish(context: TrainContext, options: TrainOptions, data = { train: counting }) {
  const run: AsyncGenerator<TrainEvent, TrainSummary> = train(context, data, options);
  const steps: Extract<TrainEvent, { type: "step" }>[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done) return { steps, summary: next.value };
    if (next.value.type === "step") steps.push(next.value);
  }
}

function contextOf(extra: Partial<TrainContext> = {}): TrainContext {
  const model = tinyModel({ num_hidden_layers: 1, initializer_range: 0.1 });
  return { runtime, model, parameters: tinyParameters(model), ...extra };
}

/** So large that gradients by hidden states are beyond 65,504. */
const TOO_LARGE = 2 ** 22;

describe("the loss scale of float16", () => {
  it("halves when gradients overflow, and the step changes nothing", async () => {
    const context = contextOf();
    const before = new Map([...context.parameters].map(([name, { data }]) => [name, data.slice()]));
    const { steps } = await finish(context, optionsOf({ steps: 1, lossScale: { start: TOO_LARGE } }));
    expect(steps[0]!.isSkipped).toBe(true);
    expect(steps[0]!.loss).toBeGreaterThan(2);
    expect(steps[0]!.gradientNorm).toBeUndefined();
    for (const [name, { data }] of context.parameters) expect(data, name).toEqual(before.get(name));
  });

  it("comes down until gradients fit, and then the run is that of a scale which fitted at once", async () => {
    const { steps } = await finish(contextOf(), optionsOf({ lossScale: { start: TOO_LARGE } }));
    const skipped = steps.filter(({ isSkipped }) => isSkipped).length;
    expect(skipped).toBeGreaterThan(0);
    expect(steps.findIndex(({ isSkipped }) => !isSkipped)).toBe(skipped);
    expect(steps.at(-1)!.gradientNorm).toBeGreaterThan(0);
  });

  it("grows after steps that fitted", () => {
    const scale = new LossScale({ start: 8, growEvery: 3 });
    for (let i = 0; i < 3; i++) scale.advance();
    expect(scale.scale).toBe(16);
    scale.advance();
    scale.backOff();
    expect([scale.scale, scale.skipped]).toEqual([8, 1]);
    // an overflow starts the count anew
    for (let i = 0; i < 2; i++) scale.advance();
    expect(scale.scale).toBe(8);
    const other = new LossScale({ growEvery: 3 });
    other.load(scale.save());
    other.advance();
    scale.advance();
    expect([other.scale, scale.scale]).toEqual([16, 16]);
    expect(() => other.load({ scale: 1 })).toThrow("holds no loss scale");
    const least = new LossScale({ start: 1 });
    expect(() => least.backOff()).toThrow("bfloat16 has the range");
    expect(() => new LossScale({ start: 3 })).toThrow("power of two");
  });

  it("changes no bits while it fits", async () => {
    const parametersAfter = async (start: number) => {
      const context = contextOf();
      await finish(context, optionsOf({ lossScale: { start } }));
      return context.parameters;
    };
    const [a, b] = [await parametersAfter(2 ** 10), await parametersAfter(2 ** 11)];
    // rounded to 11 bits at any magnitude that float16 holds as a normal number; subnormals alone differ
    for (const [name, { data }] of a) expect(worstDifference(b.get(name)!.data, data), name).toBeLessThan(1e-3);
  });

  it("is part of a checkpoint: stopped and taken up again, a run has the same bits", async () => {
    const options = optionsOf({ lossScale: { start: TOO_LARGE, growEvery: 2 } });
    const of = (name: string) => ({ root: join(folder, name), every: 3, keep: 2, fingerprint: "a" });
    const [whole, first] = [contextOf(), contextOf()];
    const expected = await finish(whole, options);
    const stop = new AbortController();
    const interrupted = train({ ...first, folder: of("run"), signal: stop.signal }, { train: counting }, options);
    for await (const event of interrupted) if (event.type === "step" && event.step === 4) stop.abort();
    const second = contextOf({ folder: of("run") });
    const { steps } = await finish(second, options);
    expect(steps).toEqual(expected.steps.slice(4));
    expect(expected.steps.slice(4).some(({ isSkipped }) => isSkipped)).toBe(true);
    for (const [name, { data }] of whole.parameters) expect(second.parameters.get(name)!.data, name).toEqual(data);
  });

  it("is refused where nothing uses it, and float16 where a step could not be skipped", async () => {
    const refused = (changes: Partial<TrainOptions>) => expect(finish(contextOf(), optionsOf(changes))).rejects;
    await refused({ precision: "bfloat16", lossScale: {} }).toThrow("goes with precision float16, not with bfloat16");
    const streamed = { accumulate: 1, clipNorm: null, streamGradients: true };
    await refused(streamed).toThrow('give precision "bfloat16"');
    await refused({ ...streamed, algorithm: lomo(), optimizer: sgd() }).toThrow('give precision "bfloat16"');
    const blind = { algorithm: mezo(), optimizer: sgd(), clipNorm: null };
    await refused({ ...blind, precision: "bfloat16" }).toThrow("mezo has forward passes alone");
  });
});

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const base = `${data}llm-stories260k/stories260K.bin`;
const text = `${data}data-tinyshakespeare/input.txt`;

describe.skipIf(!existsSync(base) || !existsSync(text))(
  "stories260K on Shakespeare (skipped without shared/data)",
  () => {
    it("comes to the loss of float32 within 1 % in either", async () => {
      const { model, parameters, tokenizer } = await loadModel(base);
      const ids = tokenizer.encode(readFileSync(text, "utf8").slice(0, 60_000));
      const cut = ids.length - 2048;
      const sets = {
        train: packDocuments([{ ids: ids.subarray(0, cut) }], 128),
        heldOut: packDocuments([{ ids: ids.subarray(cut) }], 128),
      };
      const run = async (precision: Precision) => {
        const own = new Map([...parameters].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
        const options = optionsOf({
          precision,
          steps: 20,
          batchSize: 2,
          accumulate: 1,
          attentionTile: 128,
          lossTile: { rows: 512, vocabulary: model.vocabSize },
          schedule: { name: "linear", peak: 2e-3, warmupSteps: 3, totalSteps: 20, finalShare: 0.1 },
        });
        return finish({ runtime, model, parameters: own }, options, sets);
      };
      const expected = await run("float32");
      expect(expected.summary.after).toBeLessThan(0.8 * expected.summary.before!);
      for (const precision of halves) {
        const { steps, summary } = await run(precision);
        expect(summary.after! / expected.summary.after!, precision).toBeCloseTo(1, 2);
        for (const [i, { loss, isSkipped }] of steps.entries()) {
          expect(isSkipped).toBeUndefined();
          expect(Math.abs(loss / expected.steps[i]!.loss - 1), `${precision}, step ${i + 1}`).toBeLessThan(0.01);
        }
      }
    });
  },
);
