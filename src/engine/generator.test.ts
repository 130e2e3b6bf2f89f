import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { exactLogits } from "../../test/support/whole-model.js";
import { Runtime } from "../runtime/index.js";
import { type GenerateOptions, Generator } from "./generator.js";
import { Weights } from "./weights.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
});
afterAll(() => runtime.close());

async function collect(generator: Generator, prompt: number[], options: GenerateOptions): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generator.generate(Int32Array.from(prompt), options)) ids.push(id);
  return ids;
}

const indexOfLargest = (values: Float64Array): number => values.indexOf(Math.max(...values));

describe("Generator", () => {
  // heads of 4 are padded to what the kernel takes; heads of 8 are not
  it.each([16, 32])("continues greedily as the whole model in float64 does (hidden size %i)", async (hidden_size) => {
    const model = tinyModel({ hidden_size });
    const parameters = tinyParameters(model);
    const generator = await Generator.create(runtime, model, new Weights(model, parameters, "float32"), {});
    const text = [1, 5, 9];
    for (let i = 0; i < 12; i++) text.push(indexOfLargest(exactLogits(model, parameters, text).at(-1)!));
    expect(await collect(generator, [1, 5, 9], { maxTokens: 12 })).toEqual(text.slice(3));
  });

  it("packs weights to 8 and 4 bits and continues as the packed weights do", async () => {
    const model = tinyModel({ hidden_size: 32, intermediate_size: 64 });
    const parameters = tinyParameters(model);
    const sizes = [];
    for (const format of ["float32", "int8", "int4"] as const) {
      const weights = new Weights(model, parameters, format);
      const generator = await Generator.create(runtime, model, weights, {});
      const [first] = await collect(generator, [3], { maxTokens: 1 });
      expect(first).toBe(indexOfLargest(exactLogits(model, weights.unpacked(), [3])[0]!));
      sizes.push(weights.bytes);
    }
    expect(sizes[0]).toBeGreaterThan(3 * sizes[1]!);
    expect(sizes[1]).toBeGreaterThan(1.5 * sizes[2]!);
  });

  it("replays sampled text by seed, and waits its turn", async () => {
    const model = tinyModel();
    const generator = await Generator.create(runtime, model, new Weights(model, tinyParameters(model), "float32"));
    const options = { maxTokens: 10, temperature: 1, topK: 8, topP: 0.95 };
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => collect(generator, [1], { ...options, seed })));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    // a reader that leaves early does not block the next one
    for await (const id of generator.generate(Int32Array.of(1), options)) if (id >= 0) break;
    expect(await collect(generator, [1], { ...options, seed: 1 })).toEqual(a);
  });

  it("ends at a stop id, at the limit, and when the context is full", async () => {
    const model = tinyModel();
    const generator = await Generator.create(runtime, model, new Weights(model, tinyParameters(model), "float32"), {
      contextLength: 8,
    });
    const all = await collect(generator, [1, 2], {});
    expect(all.length).toBe(7);
    const stop = all[2]!;
    expect(await collect(generator, [1, 2], { stopIds: new Set([stop]) })).toEqual(all.slice(0, all.indexOf(stop)));
  });

  it("names what is wrong with a request", async () => {
    const model = tinyModel();
    const generator = await Generator.create(runtime, model, new Weights(model, tinyParameters(model), "float32"), {
      contextLength: 8,
    });
    await expect(collect(generator, [], {})).rejects.toThrow("no tokens");
    await expect(collect(generator, new Array(8).fill(1), {})).rejects.toThrow("8 tokens, but the context holds 8");
    await expect(collect(generator, [11], {})).rejects.toThrow("token id 11 is outside the vocabulary of 11");
    await expect(collect(generator, [1], { temperature: -1 })).rejects.toThrow("temperature");
    await expect(collect(generator, [1], { topP: 0 })).rejects.toThrow("topP");
  });
});
