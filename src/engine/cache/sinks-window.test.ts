import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenFamily } from "../../../test/support/golden-family.js";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { exactLogits } from "../../../test/support/whole-model.js";
import { Runtime } from "../../runtime/index.js";
import { Engine } from "../engine.js";
import { Weights } from "../weights.js";
import { sinksPolicy } from "./sinks-window.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

/** Tokens that stay when rows are used up: the first and at least the latest, as the policy says. */
function retained(rows: readonly number[], count: number, capacity: number, sinks: number, recent: number): number[] {
  return rows.length + count <= capacity ? [...rows] : [...rows.slice(0, sinks), ...rows.slice(-recent)];
}

describe("a cache of sinks and a window", () => {
  it.each([
    ["plain", {}],
    ["with a factor on its tables", { rope_scaling: { rope_type: "yarn", factor: 4 } }],
  ])("computes as over the tokens that are left, moved together (rotation %s)", async (_, scaling) => {
    // with one layer, keys depend on nothing but their token and position, so the whole model is an oracle
    const model = tinyModel({ num_hidden_layers: 1, hidden_size: 32, ...scaling });
    const parameters = tinyParameters(model);
    const [contextLength, sinks, prefillTokens] = [16, 2, 3];
    const recent = contextLength - sinks - Math.max(prefillTokens, 4);
    await using engine = await Engine.create(runtime, model, new Weights(model, parameters, "float32"), {
      contextLength,
      prefillTokens,
      cache: sinksPolicy({ sinks }),
    });
    const prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]; // longer than the cache
    let rows: number[] = [];
    for (let at = 0; at < prompt.length; at += prefillTokens) {
      const piece = prompt.slice(at, at + prefillTokens);
      rows = [...retained(rows, piece.length, contextLength, sinks, recent), ...piece];
    }
    let count = 0;
    for await (const { id, logprobs } of engine.generate(prompt, { maxTokens: 60, logprobs: 1 })) {
      const logits = exactLogits(model, parameters, rows).at(-1)!;
      const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
      expect(id).toBe(logits.indexOf(Math.max(...logits)));
      // float32 rows, turned about ten times over
      expect(Math.abs(logprobs!.logprob - (logits[id]! - total))).toBeLessThan(1e-4);
      rows = [...retained(rows, 1, contextLength, sinks, recent), id];
      count++;
    }
    expect(count).toBe(60);
  });

  it("streams texts far longer than its rows in the same memory", async () => {
    const { model, parameters } = await goldenFamily("gemma3_text");
    const weights = new Weights(model, parameters, "float32");
    await using engine = await Engine.create(runtime, model, weights, {
      contextLength: 32,
      prefillTokens: 8,
      maxSequences: 2,
      cache: sinksPolicy(),
    });
    const before = engine.statistics.cache.capacityBytes;
    const lengths = await Promise.all(
      [1, 2].map(async (start) => {
        let count = 0;
        for await (const _ of engine.generate([start], { maxTokens: 300 })) count++;
        return count;
      }),
    );
    expect(lengths).toEqual([300, 300]);
    expect(engine.statistics.cache).toMatchObject({ capacityBytes: before, usedBytes: 0 });
  });

  it("refuses what it cannot do", async () => {
    const { model, parameters } = await goldenFamily("gpt2");
    const weights = new Weights(model, parameters, "float32");
    const options = { cache: sinksPolicy(), contextLength: 32 };
    await expect(Engine.create(runtime, model, weights, options)).rejects.toThrow("learned positions");
    const llama = tinyModel();
    const own = new Weights(llama, tinyParameters(llama), "float32");
    await expect(Engine.create(runtime, llama, own, options)).rejects.toThrow("make prefillTokens smaller");
    expect(() => sinksPolicy({ sinks: -1 })).toThrow("sinks must be a whole number");
  });
});
