import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenFamily } from "../../test/support/golden-family.js";
import { worstDifference } from "../../test/support/graph.js";
import { tinyBatch, tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { Engine, LiveWeights, Weights } from "../engine/index.js";
import { fakeQuantize, type Graph, graph, type SavePolicy } from "../graph/index.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import { describeTraining, forward, LossPlan, TrainPlan, type TrainPlanOptions, wholeGradient } from "../plan/index.js";
import { loadModel } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import { fakeQuantized, type PackedFormat } from "./fake-quantized.js";
import { dequantize, quantizeBlockwise } from "./quantize/blockwise.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

const formats: readonly PackedFormat[] = ["int8", "int4"];

const rounding = (shape: readonly number[], bits: 4 | 8, axis: 0 | 1): Graph =>
  graph("rounding", { w: { dtype: "float32", shape } }, ({ w }) => ({
    y: fakeQuantize(w!, { bits, blockSize: 32, axis }),
  }));

/** Zeros without a sign: packed ones have none. */
const unsigned = (data: ArrayLike<number | bigint>): Float32Array => Float32Array.from(data, (v) => Number(v) + 0);

describe.each([4, 8] as const)("weights of %i bits", (bits) => {
  const [rows, columns] = [40, 75];
  const rng = new Rng(3);
  // halves and quarters meet in ties, of extremes and of levels; a row of zeros has no scale
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    i < columns ? 0 : i % 2 ? rng.normal() : (rng.below(33) - 16) / 4,
  );
  const packed = dequantize(quantizeBlockwise(hostTensor("float32", [rows, columns], values), { bits }));

  it("are rounded in a graph to the bits that packing gives", async () => {
    const program = await runtime.compile(rounding([rows, columns], bits, 1));
    const { y } = await program.run({ w: hostTensor("float32", [rows, columns], values) });
    expect(unsigned(y!.data)).toEqual(unsigned(packed.data));
    expect(packed.data).not.toEqual(values);
  });

  it("are rounded along the input where they are stored [in, out]", async () => {
    const turned = (data: ArrayLike<number | bigint>): Float32Array =>
      Float32Array.from(
        { length: data.length },
        (_, i) => Number(data[(i % rows) * columns + Math.floor(i / rows)]) + 0,
      );
    const program = await runtime.compile(rounding([columns, rows], bits, 0));
    const { y } = await program.run({ w: hostTensor("float32", [columns, rows], turned(values)) });
    expect(unsigned(y!.data)).toEqual(turned(packed.data));
  });
});

const options: TrainPlanOptions = {
  batchSize: 2,
  time: 6,
  packed: false,
  attentionTile: 4,
  save: "all",
  lossTile: { rows: 5, vocabulary: 11 },
  isTrainable: () => true,
  streamGradients: false,
};

async function step(model: LanguageModel, parameters: Parameters, changes: Partial<TrainPlanOptions>) {
  const plan = await TrainPlan.create(runtime, describeTraining(model, { ...options, ...changes }), parameters);
  const batch = tinyBatch(2, 6);
  const [loss, measure] = [
    await plan.run(batch, { accumulate: false }),
    await LossPlan.create(runtime, model, { ...options, ...changes }, parameters),
  ];
  const evaluated = await measure.run(batch);
  plan.close();
  measure.close();
  return { loss, evaluated, gradients: plan.gradients };
}

describe.each(formats)("a model read as %s", (format) => {
  it.each(["llama", "gpt2", "gemma2", "mixtral"])(
    "has the logits that the packed weights of %s have",
    async (family) => {
      const { model, parameters } = await goldenFamily(family);
      const served = new Weights(model, parameters, format).unpacked();
      const ids = [[1, 5, 9, 3, 7, 2]];
      const [actual, expected, unrounded] = [
        await forward(runtime, fakeQuantized(model, format), parameters, { ids }),
        await forward(runtime, model, served, { ids }),
        await forward(runtime, model, parameters, { ids }),
      ];
      expect(worstDifference(actual.logits.data, expected.logits.data)).toBeLessThan(1e-5);
      expect(worstDifference(unrounded.logits.data, expected.logits.data)).toBeGreaterThan(1e-4);
    },
  );

  it.each([
    ["all", 11, true],
    ["selective", 4, true],
    ["inputs", 11, false],
    ["all", 4, false],
  ] as [SavePolicy, number, boolean][])(
    "has the gradients of the rounded values, passed straight through (save %s, %i tokens a tile, tied: %s)",
    async (save, vocabulary, tie_word_embeddings) => {
      const model = tinyModel({ tie_word_embeddings });
      const parameters = tinyParameters(model);
      const changes = { save, lossTile: { rows: 5, vocabulary } };
      const expected = await step(model, new Weights(model, parameters, format).unpacked(), changes);
      const actual = await step(fakeQuantized(model, format), parameters, changes);
      expect(actual.loss).toBeCloseTo(expected.loss, 5);
      expect(actual.evaluated).toBeCloseTo(expected.loss, 5);
      expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()]);
      for (const [name, { data }] of expected.gradients) {
        expect(worstDifference(actual.gradients.get(name)!.data, data), name).toBeLessThan(1e-5);
        expect(worstDifference(data, new Float32Array(data.length)), name).toBeGreaterThan(1e-5);
      }
      const numResiduals = (of: LanguageModel): number =>
        Object.keys(describeTraining(of, { ...options, ...changes }).layers[0]!.residuals).length;
      expect(numResiduals(fakeQuantized(model, format))).toBe(numResiduals(model));
    },
  );
});

it("generates while it is trained as its rounded values do", async () => {
  const model = tinyModel({ hidden_size: 32 });
  const parameters = tinyParameters(model);
  const written = async (of: LanguageModel, values: Parameters): Promise<number[]> => {
    const engine = await Engine.create(runtime, of, new LiveWeights(of, values));
    const logprobs: number[] = [];
    for await (const token of engine.generate([1, 5, 9], { maxTokens: 8, logprobs: 1 }))
      logprobs.push(token.logprobs!.logprob);
    await engine.close();
    return logprobs;
  };
  const rounded = new Weights(model, parameters, "int4").unpacked();
  const [actual, expected] = [await written(fakeQuantized(model, "int4"), parameters), await written(model, rounded)];
  expect(worstDifference(actual, expected)).toBeLessThan(1e-4);
});

it("is the same as part of one graph", async () => {
  const model = tinyModel();
  const parameters = tinyParameters(model);
  const description = describeTraining(fakeQuantized(model, "int4"), options);
  const batch = tinyBatch(2, 6);
  const ints = (values: Int32Array): HostTensor => hostTensor("int64", [2, 6], BigInt64Array.from(values, BigInt));
  const feeds: Record<string, HostTensor> = {
    ids: ints(batch.ids),
    labels: ints(batch.labels),
    positions: ints(batch.positions),
    weights: hostTensor("float32", [2, 6], batch.weights),
    ...Object.fromEntries(parameters),
  };
  const whole = graph("whole", feeds, (inputs) => {
    const { loss, gradients } = wholeGradient(description, inputs);
    return { loss, ...Object.fromEntries([...gradients].map(([name, gradient]) => [`d_${name}`, gradient])) };
  });
  const { loss, ...gradients } = await (await runtime.compile(whole)).run(feeds);
  const expected = await step(fakeQuantized(model, "int4"), parameters, {});
  expect(Number(loss!.data[0])).toBeCloseTo(expected.loss, 5);
  for (const [name, { data }] of expected.gradients)
    expect(worstDifference(gradients[`d_${name}`]!.data, data), name).toBeLessThan(1e-5);
});

const storiesPath = fileURLToPath(new URL("../../../shared/data/llm-stories260k/stories260K.bin", import.meta.url));

describe.skipIf(!existsSync(storiesPath))("stories260K (skipped where shared/data is absent)", () => {
  it.each(formats)("generates with %s weights by the probabilities that training under it sees", async (format) => {
    const { model, parameters, tokenizer } = await loadModel(storiesPath);
    const engine = await Engine.create(runtime, model, new Weights(model, parameters, format));
    const ids = [...tokenizer.template.prefix, ...tokenizer.encode("Once upon a time")];
    const prompt = ids.length;
    const logprobs: number[] = [];
    for await (const token of engine.generate([...ids], { maxTokens: 60, logprobs: 1 })) {
      ids.push(token.id);
      logprobs.push(token.logprobs!.logprob);
    }
    await engine.close();
    const logprobsUnder = async (of: LanguageModel): Promise<number[]> => {
      const { logits } = await forward(runtime, of, parameters, { ids: [ids] });
      return logprobs.map((_, i) => logprobAt(logits, prompt + i - 1, ids[prompt + i]!));
    };
    const difference = (a: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - logprobs[i]!)));
    const [rounded, unrounded] = [await logprobsUnder(fakeQuantized(model, format)), await logprobsUnder(model)];
    expect(logprobs.length).toBe(60);
    // the engine's kernel rounds activations to 8 bits too (accuracy_level 4): about half a percent of each
    expect(difference(rounded)).toBeLessThan(0.15);
    if (format === "int4") expect(difference(unrounded)).toBeGreaterThan(4 * difference(rounded));
  });
});

function logprobAt({ shape, data }: HostTensor, position: number, id: number): number {
  const size = shape[2]!;
  const row = Array.from({ length: size }, (_, i) => Number(data[position * size + i]));
  const largest = Math.max(...row);
  return row[id]! - largest - Math.log(row.reduce((sum, v) => sum + Math.exp(v - largest), 0));
}
