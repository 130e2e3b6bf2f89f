import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { whyNoWebGpu } from "../../../test/support/webgpu.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { packDocuments } from "../data/packing.js";
import { type TrainContext, type TrainEvent, type TrainOptions, type TrainSummary, train } from "../loop.js";
import { adafactor, adamw, sgd } from "../optim/index.js";
import { lomo } from "./lomo.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), "tessera-resident-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

function documents(seed: number, count: number): { ids: Int32Array }[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => ({ ids: Int32Array.from({ length: 7 }, () => rng.below(11)) }));
}

const data = { train: packDocuments(documents(1, 30), 8), heldOut: packDocuments(documents(2, 5), 8) };

const options: TrainOptions = {
  steps: 6,
  batchSize: 2,
  accumulate: 1,
  save: "all",
  attentionTile: 8,
  lossTile: { rows: 16, vocabulary: 11 },
  isTrainable: () => true,
  streamGradients: false,
  optimizer: adamw(),
  weightDecay: 0.01,
  schedule: { name: "cosine", peak: 1e-2, warmupSteps: 2, totalSteps: 6, finalShare: 0.1 },
  clipNorm: 1,
  seed: 7,
  evaluateEvery: 2,
  patience: null,
};

async function finish(run: AsyncGenerator<TrainEvent, TrainSummary>) {
  const events: TrainEvent[] = [];
  for (let next = await run.next(); ; next = await run.next()) {
    if (next.done) return { events, summary: next.value };
    events.push(next.value);
  }
}

function contextOf(extra: Partial<TrainContext> = {}): TrainContext {
  const model = tinyModel({ num_hidden_layers: 1 });
  return { runtime, model, parameters: tinyParameters(model), ...extra };
}

const lossesOf = (events: readonly TrainEvent[]): number[] =>
  events.flatMap((event) => ("loss" in event ? [event.loss] : []));

/** Single precision, added up in another order, some steps on. */
function expectClose(actual: Iterable<number>, expected: Iterable<number>): void {
  const [a, b] = [[...actual], [...expected]];
  expect(a.length).toBe(b.length);
  const scale = b.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(1e-4 * scale);
}

const valuesOf = ({ parameters }: TrainContext): number[] =>
  [...parameters.values()].flatMap(({ data }) => [...(data as Float32Array)]);

describe("training on a device", () => {
  it.each([
    ["algorithms without it", { algorithm: lomo(), optimizer: sgd() }, '"lomo" runs on the CPU only, not on native'],
    ["several micro-batches", { accumulate: 2 }, "expected accumulate 1 and no streamed gradients, got 2 and false"],
    ["optimisers of whole parameters", { optimizer: adafactor() }, "take an elementwise rule: adamw, lion or sgd"],
    ["devices without memory of their own", {}, 'the "native" backend has none with memory of its own'],
  ])("refuses %s", async (_, changes, message) => {
    const context = contextOf({ device: runtime });
    await expect(finish(train(context, data, { ...options, ...changes }))).rejects.toThrow(message);
  });
});

const missing = whyNoWebGpu();

describe.skipIf(missing !== undefined)(`training on WebGPU (${missing ?? "there is an adapter"})`, () => {
  let device: Runtime;
  beforeAll(async () => {
    device = await Runtime.open({ backend: "webgpu", numThreads: 1 });
  });
  afterAll(() => device.close());

  it("gives the losses and weights of the CPU, stopped and taken up again too", { timeout: 240_000 }, async () => {
    const expected = contextOf();
    const onCpu = await finish(train(expected, data, options));

    const whole = contextOf({ device });
    const onDevice = await finish(train(whole, data, options));
    expect(onDevice.events.map(({ type }) => type)).toEqual(onCpu.events.map(({ type }) => type));
    expectClose(lossesOf(onDevice.events), lossesOf(onCpu.events));
    expectClose(valuesOf(whole), valuesOf(expected));

    const root = { root: join(folder, "stopped"), every: 2, keep: 1, fingerprint: "a" };
    const stop = new AbortController();
    const first = contextOf({ device, folder: root, signal: stop.signal });
    const run = train(first, data, options);
    const start = valuesOf(first);
    for (let next = await run.next(); !next.done; next = await run.next()) {
      if (next.value.type !== "step") continue;
      // until the evaluation after the second step needs them, the process has the values that it began with
      if (next.value.step < 3) expect(valuesOf(first)).toEqual(start);
      else {
        expect(valuesOf(first)).not.toEqual(start);
        stop.abort();
      }
    }
    const second = contextOf({ device, folder: root });
    const rest = await finish(train(second, data, options));
    expect(rest.events.filter(({ type }) => type === "step").length).toBe(options.steps - 3);
    expect(rest.summary.steps).toBe(options.steps);
    expectClose([rest.summary.before!, rest.summary.after!], [onCpu.summary.before!, onCpu.summary.after!]);
    expectClose(lossesOf(rest.events), lossesOf(onCpu.events).slice(-lossesOf(rest.events).length));
  });
});
