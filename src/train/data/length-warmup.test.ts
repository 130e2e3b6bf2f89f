import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { algorithms } from "../algorithms/index.js";
import { type StepReport, type TrainContext, type TrainOptions, train } from "../loop.js";
import { adamw, sgd } from "../optim/index.js";
import { cutRows, lengthAt, warmupLengths } from "./length-warmup.js";
import { batchOf, packDocuments } from "./packing.js";

const rng = new Rng(3);
const documents = Array.from({ length: 40 }, () => ({
  ids: Int32Array.from({ length: 5 + rng.below(12) }, () => rng.below(11)),
}));
const rows = packDocuments(documents, 16);

describe("length warm-up", () => {
  it("gives each length as many steps, from the shortest to whole rows", () => {
    const warmup = { start: 4, steps: 6 };
    expect(warmupLengths(warmup, 32)).toEqual([4, 8, 16]);
    expect(Array.from({ length: 9 }, (_, step) => lengthAt(warmup, 32, step))).toEqual([
      4, 4, 8, 8, 16, 16, 32, 32, 32,
    ]);
    expect(lengthAt(undefined, 32, 0)).toBe(32);
    expect(() => warmupLengths({ start: 5 }, 40)).not.toThrow();
    for (const start of [0, 3, 32, 64, 1.5]) expect(() => warmupLengths({ start }, 32)).toThrow("they can to 16, 8, 4");
  });

  it("cuts rows without touching tokens, and positions start again behind a cut", () => {
    const whole = batchOf(rows, [0, 1, 2], 1);
    const cut = cutRows(whole, 4);
    expect({ ...cut, positions: null }).toEqual({ ...whole, positions: null });
    for (let i = 0; i < cut.positions.length; i++) {
      const begins = i % 4 === 0 || whole.segments![i] !== whole.segments![i - 1];
      expect(cut.positions[i]).toBe(begins ? 0 : cut.positions[i - 1]! + 1);
    }
    expect(cutRows(whole, 16)).toEqual(whole);
  });
});

describe("a run with length warm-up", () => {
  let runtime: Runtime;
  let folder: string;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 2 });
    folder = await mkdtemp(join(tmpdir(), "tessera-warmup-"));
  });
  afterAll(async () => {
    await runtime.close();
    await rm(folder, { recursive: true });
  });

  const STEPS = 9;
  const options = (changes: Partial<TrainOptions> = {}): TrainOptions => ({
    steps: STEPS,
    batchSize: 2,
    accumulate: 2,
    save: "selective",
    attentionTile: 8,
    lossTile: { rows: 32, vocabulary: 11 },
    isTrainable: () => true,
    streamGradients: false,
    optimizer: adamw(),
    weightDecay: 0.01,
    schedule: { name: "cosine", peak: 1e-2, warmupSteps: 2, totalSteps: STEPS, finalShare: 0.1 },
    clipNorm: 1,
    seed: 7,
    evaluateEvery: 0,
    patience: null,
    lengthWarmup: { start: 4, steps: 6 },
    ...changes,
  });
  const contextOf = (extra: Partial<TrainContext> = {}): TrainContext => {
    const model = tinyModel({ num_hidden_layers: 1, initializer_range: 0.1 });
    return { runtime, model, parameters: tinyParameters(model), ...extra };
  };
  async function steps(context: TrainContext, own: TrainOptions, stopAfter = STEPS): Promise<StepReport[]> {
    const stop = new AbortController();
    const reports: StepReport[] = [];
    for await (const event of train({ ...context, signal: stop.signal }, { train: rows }, own)) {
      if (event.type !== "step") continue;
      reports.push(event);
      if (event.step === stopAfter) stop.abort();
    }
    return reports;
  }

  it("learns exactly the tokens of each step that it learns without, with other losses while rows are cut", async () => {
    const [warm, plain] = [options(), options()];
    const { lengthWarmup: _, ...fixed } = plain;
    const [with_, without] = [await steps(contextOf(), warm), await steps(contextOf(), fixed)];
    expect(with_.map(({ tokens }) => tokens)).toEqual(without.map(({ tokens }) => tokens));
    expect(with_[0]!.loss).not.toBe(without[0]!.loss);
    // pieces as long as rows are the rows
    const late = await steps(contextOf(), options({ lengthWarmup: { start: 4, steps: 0 } }));
    expect(late).toEqual(without);
    // the seed decides the order still
    expect(await steps(contextOf(), warm)).toEqual(with_);
    expect((await steps(contextOf(), options({ seed: 8 }))).map(({ loss }) => loss)).not.toEqual(
      with_.map(({ loss }) => loss),
    );
  });

  const sgdOnly = { optimizer: sgd(), clipNorm: null } as const;
  it.each([
    ["backprop", {}],
    ["lomo", { ...sgdOnly, algorithm: algorithms.lomo(), accumulate: 1, streamGradients: true }],
    ["mezo", { ...sgdOnly, algorithm: algorithms.mezo() }],
  ] as const)(
    "by %s that is stopped goes on with the same bits, before, at and after a change of length",
    async (name, changes) => {
      const whole = contextOf();
      const expected = await steps(whole, options(changes));
      for (const stopAfter of [1, 4, 7]) {
        const root = { root: join(folder, `${name}-${stopAfter}`), every: 1, keep: 1, fingerprint: "a" };
        const first = await steps(contextOf({ folder: root }), options(changes), stopAfter);
        const again = contextOf({ folder: root });
        const rest = await steps(again, options(changes));
        expect([...first, ...rest]).toEqual(expected);
        for (const [key, { data }] of again.parameters) expect(data).toEqual(whole.parameters.get(key)!.data);
      }
    },
  );
});
