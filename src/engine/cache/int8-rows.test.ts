import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { exactLogits } from "../../../test/support/whole-model.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { Engine } from "../engine.js";
import { Weights } from "../weights.js";
import { cachePolicies } from "./index.js";
import { int8Format, int8Rows } from "./int8-rows.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

/** Heads of 32, which need no padding. */
const model = tinyModel({ hidden_size: 64, num_attention_heads: 2, num_key_value_heads: 1 });
const parameters = tinyParameters(model);
const prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4];

async function firstToken(cache: typeof int8Rows, prefillTokens: number): Promise<{ id: number; logprob: number }> {
  const weights = new Weights(model, parameters, "float32");
  await using engine = await Engine.create(runtime, model, weights, { cache, prefillTokens, contextLength: 32 });
  for await (const { id, logprobs } of engine.generate(prompt, { maxTokens: 1, logprobs: 0 })) {
    return { id, logprob: logprobs!.logprob };
  }
  throw new Error("no token came");
}

describe("rows of 8 bits", () => {
  it("stay within half a level of what they were, rows of zeros included", () => {
    const rng = new Rng(1);
    const [levels, scales] = [new Int8Array(3 * 8), new Float32Array(3)];
    const rows = [1e-3, 50, 0].map((size) => Float32Array.from({ length: 8 }, () => size * rng.normal()));
    for (const [i, row] of rows.entries()) int8Format.store([levels, scales], i, row);
    for (const [i, row] of rows.entries()) {
      const largest = Math.max(...row.map(Math.abs));
      for (const [j, value] of row.entries())
        expect(Math.abs(levels[i * 8 + j]! * scales[i]! - value)).toBeLessThanOrEqual((largest / 254) * 1.0001);
    }
    expect(scales[2]).toBe(0);
  });

  it("give nearly what whole rows give, and exactly that where a run has no past", async () => {
    const logits = exactLogits(model, parameters, prompt).at(-1)!;
    const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
    const differences = await Promise.all(
      [prompt.length, 4].map(async (prefillTokens) => {
        const { id, logprob } = await firstToken(int8Rows, prefillTokens);
        return Math.abs(logprob - (logits[id]! - total));
      }),
    );
    expect(differences[0]).toBeLessThan(1e-5);
    // rounding shows, and is small beside probabilities that differ by some tenths
    expect(differences[1]).toBeGreaterThan(1e-6);
    expect(differences[1]).toBeLessThan(0.02);
  });

  it("take (C + 4) / 4 C of the memory, and hold a start of many texts once", async () => {
    const weights = new Weights(model, parameters, "float32");
    const options = { contextLength: 64, maxSequences: 4 };
    await using rounded = await Engine.create(runtime, model, weights, { ...options, cache: int8Rows });
    await using whole = await Engine.create(runtime, model, weights, { ...options, cache: cachePolicies.paged });
    const ratio = rounded.statistics.cache.capacityBytes / whole.statistics.cache.capacityBytes;
    expect(ratio).toBe((32 + 4) / (4 * 32));
    const texts = [1, 2, 3, 4].map(async (last) => {
      for await (const _ of rounded.generate([...prompt, last], { maxTokens: 2 }));
    });
    await Promise.all(texts);
    expect(rounded.statistics.computedTokens).toBe(prompt.length + 4 + 4);
    expect(rounded.statistics.cache.usedBytes).toBe(0);
  });
});
