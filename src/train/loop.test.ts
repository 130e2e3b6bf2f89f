import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { Rng } from "../base/rng.js";
import { initialize } from "../nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../peft/index.js";
import { Runtime } from "../runtime/index.js";
import { countTargets, packDocuments } from "./data/packing.js";
import { Evaluation, rowLosses } from "./evaluate.js";
import { type TrainContext, type TrainEvent, type TrainOptions, type TrainSummary, train } from "./loop.js";
import { adafactor, adamw, adamw8bit, lion, optimizers, sgd } from "./optim/index.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
  folder = await mkdtemp(join(tmpdir(), "tessera-train-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

/** Counting up or down modulo 11 from a random start: learnable, not trivial. */
function documents(seed: number, count: number): { ids: Int32Array }[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => {
    const [start, sign] = [rng.below(11), rng.below(2) * 2 - 1];
    return { ids: Int32Array.from({ length: 9 }, (_, i) => (((start + sign * i) % 11) + 11) % 11) };
  });
}

const data = { train: packDocuments(documents(1, 60), 16), heldOut: packDocuments(documents(2, 10), 16) };

function optionsOf(changes: Partial<TrainOptions> = {}): TrainOptions {
  const steps = changes.steps ?? 12;
  return {
    steps,
    batchSize: 2,
    accumulate: 2,
    save: "selective",
    attentionTile: 8,
    lossTile: { rows: 32, vocabulary: 11 },
    isTrainable: () => true,
    streamGradients: false,
    optimizer: adamw(),
    weightDecay: 0.01,
    schedule: { name: "cosine", peak: 1e-2, warmupSteps: 2, totalSteps: steps, finalShare: 0.1 },
    clipNorm: 1,
    seed: 7,
    evaluateEvery: 0,
    patience: null,
    ...changes,
  };
}

async function finish(
  run: AsyncGenerator<TrainEvent, TrainSummary>,
): Promise<{ events: TrainEvent[]; summary: TrainSummary }> {
  const events: TrainEvent[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done) return { events, summary: next.value };
    events.push(next.value);
  }
}

function contextOf(extra: Partial<TrainContext> = {}): TrainContext {
  const model = tinyModel({ num_hidden_layers: 1, initializer_range: 0.1 });
  return { runtime, model, parameters: tinyParameters(model), ...extra };
}

const root = (name: string) => ({ root: join(folder, name), every: 3, keep: 2, fingerprint: "a" });

it("rowLosses are the losses of rows by themselves", async () => {
  const { model, parameters } = contextOf();
  const shape = { attentionTile: 8, lossTile: { rows: 32, vocabulary: 11 } };
  const losses = await rowLosses(runtime, model, parameters, data.heldOut, shape);
  const tokens = Array.from(losses, (_, row) => countTargets(data.heldOut, [row]));
  const evaluation = await Evaluation.create(runtime, model, parameters, data.heldOut, { ...shape, batchSize: 2 });
  const mean = losses.reduce((sum, loss, row) => sum + loss * tokens[row]!, 0) / data.heldOut.numTokens;
  expect(mean).toBeCloseTo(await evaluation.loss(), 5);
  evaluation.close();
  expect(new Set(losses).size).toBe(losses.length);
});

describe("train", () => {
  it.each([
    ["accumulated gradients", {}],
    ["streamed gradients", { accumulate: 1, clipNorm: null, streamGradients: true }],
    [
      "stochastic gradient descent with momentum",
      { optimizer: sgd({ momentum: 0.9 }), steps: 60, schedule: undefined },
    ],
  ])("brings the loss on held-out text down: %s", async (_, changes) => {
    const { steps = 40 } = changes as Partial<TrainOptions>;
    const base = optionsOf({ steps });
    const options = { ...base, ...changes, steps, schedule: { ...base.schedule, peak: 2e-2 } };
    const { summary } = await finish(train(contextOf(), data, options));
    expect(summary.before).toBeGreaterThan(2.2);
    expect(summary.after).toBeLessThan(1.3);
  });

  it.each([
    // the same steps but for the rounding of states; a rate at which rounding is not blown up
    ["adamw8bit", adamw8bit(), 5e-3, 0.01],
    ["lion", lion(), 2e-3, 0.1],
    ["adafactor", adafactor(), 5e-2, 0.1],
  ] as const)("learns with %s as with AdamW", async (_, optimizer, peak, margin) => {
    const run = async (changes: Partial<TrainOptions>): Promise<number> => {
      const model = tinyModel({ num_hidden_layers: 1, hidden_size: 64, intermediate_size: 96, initializer_range: 0.1 });
      const context = { runtime, model, parameters: tinyParameters(model) };
      return (await finish(train(context, data, optionsOf({ steps: 40, ...changes })))).summary.after!;
    };
    const schedule = { name: "cosine", warmupSteps: 2, totalSteps: 40, finalShare: 0.1 } as const;
    const reference = await run({ schedule: { ...schedule, peak: 5e-3 } });
    const ratio = (await run({ optimizer, schedule: { ...schedule, peak } })) / reference;
    expect(ratio).toBeLessThan(1 + margin);
    expect(ratio > 0.99 || optimizer.name !== "adamw8bit").toBe(true);
  });

  it("trains an adapter alone and leaves the base as it was", async () => {
    const base = tinyModel({ num_hidden_layers: 1, initializer_range: 0.1 });
    const adapter = createAdapter(base, { config: { r: 4, lora_dropout: 0.1 } });
    const model = attach(base, adapter);
    const frozen = tinyParameters(base);
    const before = new Map([...frozen].map(([name, { data }]) => [name, data.slice()]));
    const added = initialize(adapterSpecs(base, model), 5);
    const parameters = new Map([...frozen, ...added]);
    const options = optionsOf({ steps: 40, isTrainable: (name) => added.has(name) });
    const { summary } = await finish(train({ runtime, model, parameters }, data, options));
    expect(summary.after).toBeLessThan(summary.before! - 0.1);
    for (const [name, { data }] of frozen) expect(data, name).toEqual(before.get(name));
  });

  it.each(Object.entries(optimizers))(
    "goes on after a stop with the bits of the uninterrupted run: %s",
    async (name, make) => {
      const options = optionsOf({ optimizer: make() });
      // wide enough for states of 8 bits
      const model = tinyModel({ num_hidden_layers: 1, hidden_size: 64, intermediate_size: 96 });
      const contextOf = (extra: Partial<TrainContext> = {}): TrainContext => ({
        runtime,
        model,
        parameters: tinyParameters(model),
        ...extra,
      });
      const whole = contextOf();
      const wholeRun = await finish(train(whole, data, options));
      const stop = new AbortController();
      const first = train(contextOf({ folder: root(`resume-${name}`), signal: stop.signal }), data, options);
      for await (const event of first) if (event.type === "step" && event.step === 5) stop.abort();
      const second = contextOf({ folder: root(`resume-${name}`) });
      const rest = await finish(train(second, data, options));
      expect(rest.events.find((event) => event.type === "step")?.step).toBe(6);
      for (const [name, { data: values }] of whole.parameters)
        expect(second.parameters.get(name)!.data, name).toEqual(values);
      expect(rest.summary.after).toBe(wholeRun.summary.after);
      expect(rest.summary.before).toBe(wholeRun.summary.before);
    },
  );

  it("ends early when held-out loss stops falling, with the best parameters", async () => {
    const options = optionsOf({
      steps: 30,
      evaluateEvery: 1,
      patience: 3,
      clipNorm: null,
      optimizer: sgd(),
      schedule: { name: "constant", peak: 3, warmupSteps: 0, totalSteps: 30, finalShare: 1 },
    });
    const context = contextOf({ folder: root("early") });
    const { summary } = await finish(train(context, data, options));
    expect(summary.reason).toBe("early stop");
    expect(summary.best!.step).toBeLessThan(summary.steps);
    const after = await finish(train({ ...context, folder: root("again") }, data, { ...options, steps: 1 }));
    expect(after.summary.before).toBeCloseTo(summary.best!.loss, 6);
  });

  it("stops at a loss that is not a number, names the step, and keeps the last good checkpoint", async () => {
    const context = contextOf({ folder: root("nan") });
    const run = train(context, data, optionsOf());
    const next = async (): Promise<TrainEvent> => (await run.next()).value as TrainEvent;
    for (let event = await next(); event.type !== "checkpoint"; event = await next());
    (context.parameters.get("model.norm.weight")!.data as Float32Array).fill(Number.NaN);
    await expect(next()).rejects.toThrow(/step 4: the loss is NaN; a lower learning rate/);
    const resumed = contextOf({ folder: root("nan") });
    const first = (await finish(train(resumed, data, optionsOf()))).events.find((event) => event.type === "step");
    expect(first?.step).toBe(4);
  });

  it("refuses a folder of another run, and options that contradict each other", async () => {
    await finish(train(contextOf({ folder: root("mine") }), data, optionsOf({ steps: 1 })));
    const other = { ...root("mine"), fingerprint: "b" };
    await expect(train(contextOf({ folder: other }), data, optionsOf()).next()).rejects.toThrow("another run");
    await expect(train(contextOf(), data, optionsOf({ streamGradients: true })).next()).rejects.toThrow(
      "accumulate must be 1",
    );
  });
});
