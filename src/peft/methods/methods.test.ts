import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBatch, tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { cachePolicies, Engine, Generator, Weights } from "../../engine/index.js";
import { llama } from "../../models/index.js";
import type { LanguageModel, Parameters } from "../../nn/index.js";
import {
  describeTraining,
  estimateMemory,
  forward,
  LossPlan,
  TrainPlan,
  type TrainPlanOptions,
} from "../../plan/index.js";
import { Runtime } from "../../runtime/index.js";
import { createAdapter, tuningOf } from "../adapter.js";
import { withVirtualTokens } from "../virtual-tokens.js";
import type { MethodName } from "./index.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
});
afterAll(() => runtime.close());

const base = tinyModel({ tie_word_embeddings: false });
const shape = {
  batchSize: 1,
  time: 8,
  packed: false,
  attentionTile: 4,
  lossTile: { rows: 8, vocabulary: 11 },
} as const;

/** A tuned model with every added parameter drawn anew. */
function tuned(method: MethodName, config: Readonly<Record<string, unknown>> = {}) {
  const tuning = tuningOf(base, createAdapter(base, { method, config }));
  const parameters = new Map([...tinyParameters(base), ...tuning.start(tinyParameters(base))]);
  const rng = new Rng(8);
  for (const { name } of tuning.added) {
    const { data } = parameters.get(name)!;
    for (let i = 0; i < data.length; i++) data[i] = Number(data[i]) + 0.3 * rng.normal();
  }
  return { ...tuning, parameters };
}

async function gradientsOf(model: LanguageModel, parameters: Parameters, isTrainable: (name: string) => boolean) {
  const options: TrainPlanOptions = { ...shape, save: "selective", isTrainable, streamGradients: false };
  const plan = await TrainPlan.create(runtime, describeTraining(model, options), parameters);
  const loss = await plan.run(tinyBatch(1, 8), { accumulate: false });
  const gradients = new Map([...plan.gradients].map(([name, { data }]) => [name, (data as Float32Array).slice()]));
  plan.close();
  return { loss, gradients };
}

describe("lora-fa", () => {
  const model = llama({
    vocab_size: 512,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 4,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    tie_word_embeddings: true,
  });
  const estimate = (method: MethodName, save: TrainPlanOptions["save"]) => {
    const tuning = tuningOf(model, createAdapter(model, { method }));
    const tile = { rows: 512, vocabulary: 512 };
    const options = { ...shape, time: 512, attentionTile: 256, lossTile: tile, save, streamGradients: false };
    const description = describeTraining(tuning.model, { ...options, isTrainable: tuning.isTrainable });
    return { description, memory: estimateMemory(description) };
  };

  it("keeps A x where LoRA keeps x: at least a fifth less in activations", () => {
    const [lora, fa] = [estimate("lora", "all"), estimate("lora-fa", "all")];
    const activations = ({ memory }: ReturnType<typeof estimate>): number => memory.residuals + memory.activations;
    expect(activations(fa) / activations(lora)).toBeLessThan(0.8);
    const shapes = Object.values(fa.description.layers[0]!.residuals).map((residual) => residual.shape.at(-1));
    expect(shapes.filter((size) => size === 8)).toHaveLength(7);
  });

  it("learns as LoRA does with A at its start", async () => {
    const { model: attached, parameters, isTrainable } = tuned("lora");
    const lora = await gradientsOf(attached, parameters, isTrainable);
    const fa = tuned("lora-fa");
    const own = await gradientsOf(fa.model, parameters, fa.isTrainable);
    expect([...own.gradients.keys()].every((name) => name.endsWith("lora_B.weight"))).toBe(true);
    for (const [name, gradient] of own.gradients) {
      for (const [i, value] of gradient.entries()) expect(value).toBeCloseTo(lora.gradients.get(name)![i]!, 5);
    }
  });
});

describe("dora", () => {
  it("has the gradients of LoRA over rows of fixed gains: the norm is a constant", async () => {
    const dora = tuned("dora");
    const scale = 2; // α / r
    // y = g (W + s B A) x is LoRA with g W for W and g B for B
    const equivalent = new Map<string, ReturnType<typeof hostTensor>>(dora.parameters);
    const gains = new Map<string, Float32Array>();
    for (const { name } of dora.added.filter((spec) => spec.name.endsWith("magnitude_vector"))) {
      const linear = name.slice(0, -".lora_magnitude_vector".length);
      const [w, a, b, m] = ["weight", "lora_A.weight", "lora_B.weight", "lora_magnitude_vector"].map(
        (part) => dora.parameters.get(`${linear}.${part}`)!,
      );
      const [rank, width] = [a!.shape[0]!, a!.shape[1]!];
      const gain = Float32Array.from({ length: m!.data.length }, (_, row) => {
        let square = 0;
        for (let i = 0; i < width; i++) {
          let value = Number(w!.data[row * width + i]);
          for (let k = 0; k < rank; k++)
            value += scale * Number(b!.data[row * rank + k]) * Number(a!.data[k * width + i]);
          square += value * value;
        }
        return Number(m!.data[row]) / Math.sqrt(square);
      });
      gains.set(linear, gain);
      const scaled = (tensor: typeof w, size: number) =>
        hostTensor(
          "float32",
          tensor!.shape,
          (tensor!.data as Float32Array).map((v, i) => v * gain[Math.floor(i / size)]!),
        );
      equivalent.set(`${linear}.weight`, scaled(w, width));
      equivalent.set(`${linear}.lora_B.weight`, scaled(b, rank));
    }
    const lora = tuned("lora");
    const expected = await gradientsOf(lora.model, equivalent, lora.isTrainable);
    const actual = await gradientsOf(dora.model, dora.parameters, dora.isTrainable);
    expect(actual.loss).toBeCloseTo(expected.loss, 5);
    for (const [name, gradient] of expected.gradients) {
      const linear = name.slice(0, name.indexOf(".lora_"));
      const isB = name.endsWith("lora_B.weight");
      for (const [i, value] of gradient.entries()) {
        const factor = isB ? gains.get(linear)![Math.floor(i / 8)]! : 1;
        expect(actual.gradients.get(name)![i], name).toBeCloseTo(factor * value, 5);
      }
    }
  });
});

describe("longlora", () => {
  it("attends in shifted groups while training, and to all otherwise", async () => {
    const { model, parameters, isTrainable } = tuned("longlora");
    const grouped = await gradientsOf(model, parameters, isTrainable);
    const lossOf = async (of: LanguageModel): Promise<number> => {
      const plan = await LossPlan.create(runtime, of, shape, parameters);
      const loss = await plan.run(tinyBatch(1, 8));
      plan.close();
      return loss;
    };
    const plain = tuned("lora");
    expect(await lossOf(model)).toBe(await lossOf(plain.model));
    expect(Math.abs(grouped.loss - (await lossOf(model)))).toBeGreaterThan(1e-3);
  });

  it("refuses lengths that groups do not divide", () => {
    const { model, isTrainable } = tuned("longlora");
    const options = { ...shape, time: 10, save: "all", isTrainable, streamGradients: false } as const;
    expect(() => describeTraining(model, options)).toThrow("groups of 2.5 tokens do not cut 10 tokens");
  });
});

describe.each(["prompt", "prefix"] as const)("%s", (method) => {
  const config = { num_virtual_tokens: 3 };
  const ids = Int32Array.of(4, 9, 2, 7, 1);

  it("applies in generation what forward computes, as the start of the cache", async () => {
    const { model, parameters, numVirtualTokens } = tuned(method, config);
    const whole = withVirtualTokens({ numVirtualTokens }, ids);
    const { logits } = await forward(runtime, model, parameters, { ids: [whole] });
    const last = (logits.data as Float32Array).subarray(-base.vocabSize);
    const weights = new Weights(model, parameters, "float32");
    const generator = await Generator.create(runtime, model, weights, { contextLength: 32, prefillTokens: 4 });
    const generated = await generator.logitsAfter(whole);
    for (const [i, value] of generated.entries()) expect(value).toBeCloseTo(last[i]!, 4);
    await using engine = await Engine.create(runtime, model, weights, {
      contextLength: 32,
      cache: cachePolicies.paged,
    });
    const [greedy, ofEngine]: [number[], number[]] = [[], []];
    for await (const id of generator.generate(whole, { maxTokens: 6, temperature: 0 })) greedy.push(id);
    for await (const { id } of engine.generate(whole, { maxTokens: 6, temperature: 0 })) ofEngine.push(id);
    expect(ofEngine).toEqual(greedy);
  });

  it("does not depend on what the placeholders are", async () => {
    const { model, parameters } = tuned(method, config);
    const logitsBehind = async (placeholders: number[]): Promise<Float32Array> => {
      const { logits } = await forward(runtime, model, parameters, { ids: [[...placeholders, ...ids]] });
      return (logits.data as Float32Array).subarray(3 * base.vocabSize);
    };
    expect(await logitsBehind([0, 0, 0])).toEqual(await logitsBehind([5, 1, 10]));
  });

  it("refuses models whose positions do not say where a text begins", () => {
    expect(() => tuningOf({ ...base, tablesChangeAfter: 32 }, createAdapter(base, { method }))).toThrow("LongRoPE");
  });
});

describe("prompt", () => {
  it("starts from the embeddings of a text's tokens, repeated or cut", () => {
    const { start } = tuningOf(base, createAdapter(base, { method: "prompt", config: { num_virtual_tokens: 3 } }));
    const parameters = tinyParameters(base);
    const table = parameters.get(base.embedding.name)!.data as Float32Array;
    const rows = start(parameters, { promptIds: [7, 2] }).get("prompt_embeddings")!.data as Float32Array;
    const row = (id: number): Float32Array => table.subarray(id * base.hiddenSize, (id + 1) * base.hiddenSize);
    expect(rows).toEqual(Float32Array.from([...row(7), ...row(2), ...row(7)]));
    expect(() => start(parameters, { promptIds: [11] })).toThrow("token ids from 0 to 10 to start from, got 11");
  });
});
