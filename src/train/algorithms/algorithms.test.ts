import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { createAdapter, type MethodName, tuningOf } from "../../peft/index.js";
import { Runtime } from "../../runtime/index.js";
import { packDocuments } from "../data/packing.js";
import { type TrainContext, type TrainEvent, type TrainOptions, type TrainSummary, train } from "../loop.js";
import { adamw, sgd } from "../optim/index.js";
import { algorithms, lomo, mezo } from "./index.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
  folder = await mkdtemp(join(tmpdir(), "tessera-algorithms-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

/** Counting up modulo 11 from a random start. */
function documents(seed: number, count: number): { ids: Int32Array }[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => {
    const start = rng.below(11);
    return { ids: Int32Array.from({ length: 9 }, (_, i) => (start + i) % 11) };
  });
}

const data = { train: packDocuments(documents(1, 60), 16), heldOut: packDocuments(documents(2, 10), 16) };

function optionsOf(changes: Partial<TrainOptions> & { readonly peak?: number } = {}): TrainOptions {
  const { steps = 6, peak = 0.05 } = changes;
  return {
    steps,
    batchSize: 2,
    accumulate: 1,
    save: "selective",
    attentionTile: 8,
    lossTile: { rows: 32, vocabulary: 11 },
    isTrainable: () => true,
    streamGradients: false,
    optimizer: sgd(),
    weightDecay: 0.01,
    schedule: { name: "cosine", peak, warmupSteps: 2, totalSteps: steps, finalShare: 0.1 },
    clipNorm: null,
    seed: 7,
    evaluateEvery: 0,
    patience: null,
    ...changes,
  };
}

async function finish(run: AsyncGenerator<TrainEvent, TrainSummary>) {
  const events: TrainEvent[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done) return { events, summary: next.value };
    events.push(next.value);
  }
}

function contextOf(extra: Partial<TrainContext> = {}, isTied = true): TrainContext {
  const model = tinyModel({ num_hidden_layers: 2, initializer_range: 0.1, tie_word_embeddings: isTied });
  return { runtime, model, parameters: tinyParameters(model), ...extra };
}

const root = (name: string) => ({ root: join(folder, name), every: 4, keep: 2, fingerprint: "a" });

function expectSameBits(actual: ReadonlyMap<string, HostTensor>, expected: ReadonlyMap<string, HostTensor>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, { data: values }] of expected) expect(actual.get(name)!.data, name).toEqual(values);
}

it("are found by the names that they have", () => {
  for (const [key, make] of Object.entries(algorithms)) expect(make().name).toBe(key);
});

describe("lomo", () => {
  it.each([
    ["without clipping, tied", null, true],
    ["without clipping", null, false],
    ["clipped by length, tied", 0.5, true],
    ["clipped by length", 0.5, false],
  ] as const)("has the bits of stochastic gradient descent: %s", async (_, clipNorm, isTied) => {
    const [ours, reference] = [contextOf({}, isTied), contextOf({}, isTied)];
    const options = optionsOf({ clipNorm });
    const streamed = await finish(train(ours, data, { ...options, algorithm: lomo() }));
    const kept = await finish(train(reference, data, options));
    expectSameBits(ours.parameters, reference.parameters);
    const norms = kept.events.flatMap((event) => (event.type === "step" ? [event.gradientNorm!] : []));
    expect(Math.max(...norms)).toBeGreaterThan(0.5);
    if (clipNorm !== null) expect(streamed.events).toEqual(kept.events);
    expect(streamed.summary).toEqual(kept.summary);
  });

  it("cuts the gradients' elements at clipValue", async () => {
    const { model, parameters } = contextOf();
    const before = new Map([...parameters].map(([name, { data: values }]) => [name, values.slice()]));
    const options = optionsOf({ steps: 1, weightDecay: 0, peak: 0.5, algorithm: lomo({ clipValue: 1e-3 }) });
    const { events } = await finish(train({ runtime, model, parameters }, data, options));
    const rate = events.flatMap((event) => (event.type === "step" ? [event.learningRate] : []))[0]!;
    const moved = [...parameters].flatMap(([name, { data: values }]) =>
      Array.from(values as Float32Array, (value, i) => Math.abs(value - Number(before.get(name)![i]))),
    );
    // a rounding of the weight beside it
    expect(Math.max(...moved)).toBeCloseTo(rate * 1e-3, 6);
  });

  it("refuses what it would have to keep", async () => {
    const start = (changes: Partial<TrainOptions>) =>
      train(contextOf(), data, optionsOf({ algorithm: lomo(), ...changes })).next();
    await expect(start({ accumulate: 2 })).rejects.toThrow("accumulate must be 1, got 2");
    await expect(start({ optimizer: adamw() })).rejects.toThrow(
      "expected the optimiser sgd without momentum, got adamw",
    );
    await expect(start({ optimizer: sgd({ momentum: 0.9 }) })).rejects.toThrow("sgd without momentum");
    const both = { algorithm: lomo({ clipValue: 1 }), clipNorm: 1 };
    await expect(start(both)).rejects.toThrow("lomo clips by value or by length");
    expect(() => lomo({ clipValue: 0 })).toThrow("clipValue must be above 0");
  });
});

describe("selected tokens", () => {
  const quarter = { selectedTokens: 0.25, peak: 0.02, clipNorm: 1 };

  it("are all of them at a share of 1, with the bits of backpropagation", async () => {
    const [ours, reference] = [contextOf(), contextOf()];
    const events = await finish(train(ours, data, optionsOf({ ...quarter, selectedTokens: 1 })));
    const { selectedTokens: _, ...plain } = quarter;
    expect(events).toEqual(await finish(train(reference, data, optionsOf(plain))));
    expectSameBits(ours.parameters, reference.parameters);
  });

  it.each([
    ["adamw", { optimizer: adamw(), accumulate: 2 }],
    ["streamed", { streamGradients: true }],
    ["lomo", { algorithm: lomo() }],
  ] as const)("go on after a stop with the bits of the uninterrupted run: %s", async (name, changes) => {
    const options = optionsOf({ ...quarter, ...changes, steps: 8 });
    const whole = contextOf();
    const { summary } = await finish(train(whole, data, options));
    const stop = new AbortController();
    const first = train(contextOf({ folder: root(`selected-${name}`), signal: stop.signal }), data, options);
    for await (const event of first) if (event.type === "step" && event.step === 5) stop.abort();
    const second = contextOf({ folder: root(`selected-${name}`) });
    const rest = await finish(train(second, data, options));
    expect(rest.events.find((event) => event.type === "step")?.step).toBe(6);
    expectSameBits(second.parameters, whole.parameters);
    expect(rest.summary).toEqual(summary);
    expect(summary.after!).toBeLessThan(summary.before!);
  });

  it("are counted, and differ from step to step and by the seed", async () => {
    const steps = async (seed: number) => {
      const options = optionsOf({ ...quarter, seed, peak: 1e-9, batchSize: data.train.numRows, steps: 3 });
      const { events } = await finish(train(contextOf(), { train: data.train }, options));
      return events.flatMap((event) => (event.type === "step" ? [event] : []));
    };
    const [first, again, other] = [await steps(7), await steps(7), await steps(8)];
    expect(again).toEqual(first);
    // a quarter of 16 positions in each row; the last row holds padding
    for (const { tokens } of first) expect(tokens).toBe(4 * data.train.numRows);
    // all rows in every step and parameters that hardly move: what differs is which positions are drawn
    expect(new Set([...first, ...other].map(({ loss }) => loss)).size).toBe(6);
  });

  it("are no matter for forward passes alone, and go with whole rows only", async () => {
    const cut = optionsOf({ selectedTokens: 0.5, lengthWarmup: { start: 4, steps: 2 } });
    await expect(finish(train(contextOf(), data, cut))).rejects.toThrow("leave out one of the two");
    const options = optionsOf({ algorithm: mezo(), selectedTokens: 0.5 });
    await expect(train(contextOf(), data, options).next()).rejects.toThrow(
      "mezo has no backward pass to select tokens for",
    );
  });
});

describe("mezo", () => {
  const changes = { algorithm: mezo(), peak: 3e-4, accumulate: 2 };

  it.each(["full", "lora", "dora"] as const)(
    "brings the loss down without a gradient: %s",
    async (method: MethodName) => {
      const base = tinyModel({ num_hidden_layers: 1, initializer_range: 0.1 });
      const frozen = tinyParameters(base);
      const tuning = tuningOf(base, createAdapter(base, { method }));
      const parameters = new Map([...frozen, ...tuning.start(frozen, { seed: 1 })]);
      const untouched = [...parameters].filter(([name]) => !tuning.isTrainable(name));
      const before = new Map(untouched.map(([name, { data: values }]) => [name, values.slice()]));
      const peak = method === "full" ? 2e-3 : 2e-2;
      const options = { ...optionsOf({ ...changes, steps: 150, peak }), isTrainable: tuning.isTrainable };
      const { summary } = await finish(train({ runtime, model: tuning.model, parameters }, data, options));
      expect(summary.after!).toBeLessThan(summary.before! - 0.05);
      for (const [name, { data: values }] of untouched) expect(values, name).toEqual(before.get(name));
    },
  );

  it("measures the slope that the gradient has along the noise", async () => {
    // one step from the same place: θ' - θ is -η (g · z) z for mezo and -η g for descent, so their product tells g · z
    const options = optionsOf({ steps: 1, weightDecay: 0, peak: 0.5 });
    const [ours, reference, start] = [contextOf(), contextOf(), contextOf()];
    await finish(train(ours, data, { ...options, algorithm: mezo() }));
    const { events } = await finish(train(reference, data, options));
    const rate = events.flatMap((event) => (event.type === "step" ? [event.learningRate] : []))[0]!;
    let [product, squares] = [0, 0];
    for (const [name, { data: from }] of start.parameters) {
      const [to, by] = [ours.parameters.get(name)!.data, reference.parameters.get(name)!.data];
      for (let i = 0; i < from.length; i++) {
        const step = Number(to[i]) - Number(from[i]);
        product += (step * (Number(from[i]) - Number(by[i]))) / rate;
        squares += step * step;
      }
    }
    // step = -η s z with s = g · z: the product is -η s², the sum of squares η² s² Σ z², with Σ z² near the count
    const count = [...start.parameters.values()].reduce((sum, { data: values }) => sum + values.length, 0);
    const slopeSquared = squares / rate ** 2 / count;
    expect(-product / rate / slopeSquared).toBeGreaterThan(0.9);
    expect(-product / rate / slopeSquared).toBeLessThan(1.1);
  });

  it("goes on after a stop with the bits of the uninterrupted run, from a log", async () => {
    const options = optionsOf({ ...changes, steps: 12, evaluateEvery: 6 });
    const whole = contextOf();
    const wholeRun = await finish(train(whole, data, options));
    const stop = new AbortController();
    const first = train(contextOf({ folder: root("resume"), signal: stop.signal }), data, options);
    for await (const event of first) if (event.type === "step" && event.step === 5) stop.abort();
    const [last] = (await readdir(join(folder, "resume"))).filter((name) => name.endsWith("5"));
    expect(await readdir(join(folder, "resume", last!))).toEqual(["state.json"]);
    const second = contextOf({ folder: root("resume") });
    const rest = await finish(train(second, data, options));
    expect(rest.events.find((event) => event.type === "step")?.step).toBe(6);
    expectSameBits(second.parameters, whole.parameters);
    expect(rest.summary).toEqual(wholeRun.summary);
    expect(whole.parameters.get("model.norm.weight")!.data).not.toEqual(
      contextOf().parameters.get("model.norm.weight")!.data,
    );
  });

  it("ends early with the parameters of the best evaluation", async () => {
    const context = contextOf({ folder: root("early") });
    const { summary } = await finish(
      train(context, data, optionsOf({ ...changes, steps: 40, peak: 0.5, evaluateEvery: 1, patience: 3 })),
    );
    expect(summary.reason).toBe("early stop");
    expect(summary.best!.step).toBeLessThan(summary.steps);
    const again = { ...context, folder: root("again") };
    const { summary: after } = await finish(train(again, data, optionsOf({ steps: 1 })));
    expect(after.before).toBeCloseTo(summary.best!.loss, 6);
  });

  it("refuses gradients' options, and checkpoints of other ways to train", async () => {
    const start = (more: Partial<TrainOptions>, name?: string) =>
      train(contextOf(name ? { folder: root(name) } : {}), data, optionsOf({ ...changes, ...more })).next();
    await expect(start({ clipNorm: 1 })).rejects.toThrow("clipNorm must be null");
    await expect(start({ optimizer: adamw() })).rejects.toThrow("sgd without momentum, got adamw");
    await finish(train(contextOf({ folder: root("other") }), data, optionsOf({ steps: 1 })));
    await expect(start({}, "other")).rejects.toThrow("it is not of a run of mezo");
    expect(() => mezo({ epsilon: 0 })).toThrow("epsilon must be above 0");
  });
});
