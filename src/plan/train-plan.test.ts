import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worstDifference } from "../../test/support/graph.js";
import { tinyBatch, tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { exactGradients } from "../../test/support/whole-model.js";
import { sizeOf } from "../base/host-tensor.js";
import { initialize, type LanguageModel, parameterSpecs } from "../nn/index.js";
import { adapterSpecs, createAdapter, tuningOf } from "../peft/index.js";
import { Runtime } from "../runtime/index.js";
import { describeTraining, type TrainPlanOptions } from "./describe.js";
import { LossPlan } from "./loss-plan.js";
import { estimateMemory } from "./memory.js";
import type { MicroBatch } from "./sequence-feeds.js";
import { TrainPlan } from "./train-plan.js";
import { wholeGradient } from "./whole-gradient.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
});
afterAll(() => runtime.close());

const time = 6;
const defaults: TrainPlanOptions = {
  batchSize: 2,
  time,
  packed: false,
  attentionTile: 4,
  save: "all",
  lossTile: { rows: 100, vocabulary: 11 },
  isTrainable: () => true,
  streamGradients: false,
};

type Result = { loss: number; gradients: Map<string, Float32Array> };

async function train(
  model: LanguageModel,
  batches: MicroBatch[],
  options: Partial<TrainPlanOptions> = {},
): Promise<Result> {
  const description = describeTraining(model, { ...defaults, ...options });
  const plan = await TrainPlan.create(runtime, description, tinyParameters(model));
  const gradients = new Map<string, Float32Array>();
  let loss = 0;
  for (const [i, batch] of batches.entries()) {
    loss += await plan.run(batch, {
      accumulate: i > 0,
      sink: async (ready) => {
        for (const [name, { data }] of ready) gradients.set(name, (data as Float32Array).slice());
      },
    });
  }
  plan.close();
  return { loss, gradients };
}

function expectEqualGradients(actual: Result, expected: Result, tolerance: number): void {
  expect([...actual.gradients.keys()].sort()).toEqual([...expected.gradients.keys()].sort());
  for (const [name, gradient] of expected.gradients) {
    const scale = Math.max(...gradient.map(Math.abs));
    const relative = (values: Float32Array): Float32Array => values.map((v) => v / scale);
    expect(worstDifference(relative(actual.gradients.get(name)!), relative(gradient)), name).toBeLessThanOrEqual(
      tolerance,
    );
  }
}

/** The weights of selected rows; none of the others. */
const masked = ({ weights, selected }: MicroBatch): Float32Array =>
  weights.map((weight, i) => (selected!.includes(i) ? weight : 0));

/** Sums of a few dozen float32 products, relative to the largest gradient of a tensor. */
const FLOAT32 = 2e-5;

describe("TrainPlan", () => {
  const batch = tinyBatch(2, time);

  it.each([true, false])("equals the model differentiated as one graph in float64 (tied: %s)", async (tied) => {
    const model = tinyModel({ tie_word_embeddings: tied });
    const actual = await train(model, [batch]);
    const expected = exactGradients(model, tinyParameters(model), batch, 2);
    expect(actual.loss).toBeCloseTo(expected.loss, 5);
    expectEqualGradients(actual, expected, FLOAT32);
  });

  it("gives the same bits under every save policy", async () => {
    const model = tinyModel();
    const all = await train(model, [batch]);
    for (const save of ["selective", "inputs"] as const)
      expectEqualGradients(await train(model, [batch], { save }), all, 0);
  });

  it("adds micro-batches up to what one large batch gives", async () => {
    const model = tinyModel();
    const half = (i: number): MicroBatch => {
      const part = <T extends Int32Array | Float32Array>(a: T): T => a.slice(i * time, (i + 1) * time) as T;
      const { ids, labels, weights, positions } = batch;
      return { ids: part(ids), labels: part(labels), weights: part(weights), positions: part(positions) };
    };
    const whole = await train(model, [batch]);
    const parts = await train(model, [half(0), half(1)], { batchSize: 1 });
    expect(parts.loss).toBeCloseTo(whole.loss, 6);
    expectEqualGradients(parts, whole, 1e-6);
  });

  it("does not depend on the tiles of attention and loss", async () => {
    const model = tinyModel();
    const whole = await train(model, [batch, batch], { attentionTile: time });
    const byRows = await train(model, [batch, batch], { attentionTile: 1, lossTile: { rows: 5, vocabulary: 11 } });
    expectEqualGradients(byRows, whole, FLOAT32);
    const byTokens = await train(model, [batch, batch], { lossTile: { rows: 5, vocabulary: 4 } });
    expect(byTokens.loss).toBeCloseTo(whole.loss, 5);
    expectEqualGradients(byTokens, whole, FLOAT32);
  });

  it("streams gradients layer by layer through shared buffers", async () => {
    const model = tinyModel({ tie_word_embeddings: false });
    const kept = await train(model, [batch]);
    expectEqualGradients(await train(model, [batch], { streamGradients: true }), kept, 0);
  });

  it("differentiates only by what is trained", async () => {
    const model = tinyModel();
    const all = await train(model, [batch]);
    const isTrainable = (name: string): boolean => name === "model.layers.1.mlp.up_proj.weight";
    const description = describeTraining(model, { ...defaults, isTrainable });
    expect(description.layers[0]!.backward).toBeUndefined();
    expect(Object.keys(description.layers[1]!.backward!.outputs)).toEqual(["d_mlp.up_proj.weight"]);
    const some = await train(model, [batch], { isTrainable });
    const expected = { ...all, gradients: new Map([...all.gradients].filter(([name]) => isTrainable(name))) };
    expectEqualGradients(some, expected, FLOAT32);
  });

  it("keeps packed documents apart", async () => {
    const model = tinyModel();
    const one = tinyBatch(1, time);
    const first = { ...one, weights: one.weights.map((w, i) => (i < 4 ? w : 0)) };
    const packed: MicroBatch = {
      ...one,
      positions: Int32Array.of(0, 1, 2, 3, 0, 1),
      segments: Int32Array.of(0, 0, 0, 0, 1, 1),
    };
    // the second document alone, at the start of a row
    const moved = (a: Int32Array): Int32Array => Int32Array.of(...a.slice(4), 0, 0, 0, 0);
    const second: MicroBatch = {
      ids: moved(one.ids),
      labels: moved(one.labels),
      weights: Float32Array.of(...one.weights.slice(4), 0, 0, 0, 0),
      positions: one.positions,
    };
    const apart = await train(model, [first, second], { batchSize: 1 });
    const together = await train(model, [packed], { batchSize: 1, packed: true });
    expect(together.loss).toBeCloseTo(apart.loss, 6);
    expectEqualGradients(together, apart, FLOAT32);
  });

  it("has the loss that evaluation reports", async () => {
    const model = tinyModel();
    const { loss } = await train(model, [batch], { save: "inputs" });
    const plan = await LossPlan.create(
      runtime,
      model,
      { ...defaults, lossTile: { rows: 5, vocabulary: 4 } },
      tinyParameters(model),
    );
    expect(await plan.run(batch)).toBeCloseTo(loss, 6);
    plan.close();
  });

  describe("of selected tokens", () => {
    const selected = Int32Array.of(0, 3, 5, 7, 8, 11);
    const some: MicroBatch = { ...batch, selected };

    it.each([
      ["keys and values are kept", { num_key_value_heads: 1 }],
      ["the layer's input is smaller than they", {}],
    ] as const)("equals the model with the others detached in every layer, in float64: %s", async (_, config) => {
      const model = tinyModel(config);
      const expected = exactGradients(model, tinyParameters(model), some, 2);
      for (const save of ["all", "selective", "inputs"] as const) {
        const actual = await train(model, [some], { save, selectedTokens: 0.5, attentionTile: 2 });
        expect(actual.loss).toBeCloseTo(expected.loss, 5);
        expectEqualGradients(actual, expected, FLOAT32);
      }
      const everywhere = exactGradients(model, tinyParameters(model), { ...batch, weights: masked(some) }, 2);
      // what is detached matters
      expect(() => expectEqualGradients(expected, everywhere, 1e-2)).toThrow();
    });

    it("has the gradients of all where only the last is left out, which no other sees", async () => {
      const model = tinyModel();
      const rest = { ...batch, selected: Int32Array.of(0, 1, 2, 3, 4, 6, 7, 8, 9, 10) };
      const actual = await train(model, [rest, rest], { selectedTokens: 5 / 6 });
      const unweighted = { ...batch, weights: masked(rest) };
      const expected = await train(model, [unweighted, unweighted]);
      expect(actual.loss).toBeCloseTo(expected.loss, 6);
      expectEqualGradients(actual, expected, FLOAT32);
    });

    it("is the plan of all where all are selected", () => {
      const { layers, selected: count } = describeTraining(tinyModel(), { ...defaults, selectedTokens: 1 });
      expect(count).toBeUndefined();
      expect(Object.keys(layers[0]!.forward.inputs)).not.toContain("selected");
    });

    it("keeps packed documents apart", async () => {
      const model = tinyModel();
      const one = tinyBatch(1, time);
      const packed = {
        ...one,
        positions: Int32Array.of(0, 1, 2, 3, 0, 1),
        segments: Int32Array.of(0, 0, 0, 0, 1, 1),
        selected: Int32Array.of(1, 3, 5),
      };
      const part = (start: number, end: number, selected: readonly number[]): MicroBatch => ({
        ids: one.ids.slice(start, end),
        labels: one.labels.slice(start, end),
        weights: one.weights.slice(start, end),
        positions: Int32Array.from({ length: end - start }, (_, i) => i),
        selected: Int32Array.from(selected),
      });
      const actual = await train(model, [packed], { batchSize: 1, packed: true, selectedTokens: 0.5 });
      const first = exactGradients(model, tinyParameters(model), part(0, 4, [1, 3]), 1);
      const second = exactGradients(model, tinyParameters(model), part(4, 6, [1]), 1);
      const sum = new Map(
        [...first.gradients].map(([name, a]) => [name, a.map((v, i) => v + second.gradients.get(name)![i]!)]),
      );
      expectEqualGradients(actual, { loss: first.loss + second.loss, gradients: sum }, FLOAT32);
      expect(actual.loss).toBeCloseTo(first.loss + second.loss, 5);
    });

    it("draws one mask of dropout for a position, selected or not", async () => {
      const model = tinyModel();
      const adapter = createAdapter(model, { method: "lora", config: { r: 2, lora_dropout: 0.5 } });
      const tuning = tuningOf(model, adapter);
      const parameters = new Map([...tinyParameters(model), ...initialize(adapterSpecs(model, tuning.model), 3)]);
      for (const [name, { data }] of parameters) if (name.endsWith("lora_B.weight")) (data as Float32Array).fill(0.3);
      const gradientsOf = async (own: MicroBatch, options: Partial<TrainPlanOptions>): Promise<Result> => {
        const all = { ...defaults, ...options, isTrainable: tuning.isTrainable };
        const plan = await TrainPlan.create(runtime, describeTraining(tuning.model, all), parameters);
        const loss = await plan.run({ ...own, seed: 9 }, { accumulate: false });
        plan.close();
        return {
          loss,
          gradients: new Map([...plan.gradients].map(([name, { data }]) => [name, data as Float32Array])),
        };
      };
      const rest = { ...batch, selected: Int32Array.of(0, 1, 2, 3, 4, 6, 7, 8, 9, 10) };
      const expected = await gradientsOf({ ...batch, weights: masked(rest) }, {});
      for (const save of ["all", "inputs"] as const)
        expectEqualGradients(await gradientsOf(rest, { selectedTokens: 5 / 6, save }), expected, FLOAT32);
    });

    it("keeps less the fewer are selected", () => {
      const model = tinyModel({ hidden_size: 64, intermediate_size: 192, num_hidden_layers: 6 });
      for (const save of ["all", "selective", "inputs"] as const) {
        const kept = [1, 0.5, 0.25].map((selectedTokens) => {
          const { residuals, activations } = estimateMemory(
            describeTraining(model, { ...defaults, time: 32, save, selectedTokens }),
          );
          return residuals + activations;
        });
        // whatever is selected, keys and values or inputs of layers are there for all
        expect(kept[2]! / kept[0]!).toBeLessThan({ all: 0.45, selective: 0.5, inputs: 0.95 }[save]);
        expect(kept).toEqual([...kept].sort((a, b) => b - a));
      }
    });

    it("keeps keys and values where they are fewer than the layer's inputs, even where all else is computed again", () => {
      const layerOf = (num_key_value_heads: number) =>
        describeTraining(tinyModel({ num_key_value_heads }), { ...defaults, save: "inputs", selectedTokens: 0.5 })
          .layers[0]!;
      const [few, many] = [layerOf(1), layerOf(2)];
      expect(Object.values(few.residuals).map(({ shape }) => shape)).toEqual([
        [2, time, 4],
        [2, time, 4],
      ]);
      expect(Object.keys(few.backward!.inputs)).not.toContain("whole.x");
      expect(many.residuals).toEqual({});
      expect(Object.keys(many.backward!.inputs)).toContain("whole.x");
    });

    it("names what does not fit", async () => {
      const model = tinyModel();
      await expect(train(model, [batch], { selectedTokens: 0.5 })).rejects.toThrow(
        "the plan was made for 6 selected tokens, the batch has none",
      );
      await expect(train(model, [some])).rejects.toThrow("the plan was made for no selected tokens, the batch has 6");
      await expect(train(model, [some], { selectedTokens: 0 })).rejects.toThrow(
        "expected above 0 and at most 1, got 0",
      );
      const description = describeTraining(model, { ...defaults, selectedTokens: 0.5 });
      expect(() => wholeGradient(description, {})).toThrow("differentiates all positions");
      const { model: shifted } = tuningOf(model, createAdapter(model, { method: "longlora", config: { r: 2 } }));
      expect(() => describeTraining(shifted, { ...defaults, time: 8, selectedTokens: 0.5 })).toThrow(
        "in shifted groups (LongLoRA) is differentiated for all positions only",
      );
    });
  });

  it("knows every gradient buffer's size", async () => {
    const model = tinyModel();
    const plan = await TrainPlan.create(runtime, describeTraining(model, defaults), tinyParameters(model));
    for (const { name, shape } of parameterSpecs(model)) {
      expect(plan.gradients.get(name)!.data.length).toBe(sizeOf(shape));
    }
    plan.close();
  });
});
