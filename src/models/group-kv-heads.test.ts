import { describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { exactLogits } from "../../test/support/whole-model.js";
import { initialize, parameterSpecs } from "../nn/index.js";
import { groupKvHeads, modelFromConfig } from "./index.js";

const model = tinyModel({ num_key_value_heads: 4, attention_bias: true });
const parameters = tinyParameters(model);
const ids = [1, 4, 9, 2];

describe("grouping key/value heads", () => {
  it("changes nothing with as many heads as before", () => {
    const { config, parameters: same } = groupKvHeads(model, parameters, 4);
    expect(exactLogits(modelFromConfig(config), same, ids)).toEqual(exactLogits(model, parameters, ids));
  });

  it.each([2, 1])("to %i heads computes the same where the heads of a group are equal", (numKvHeads) => {
    const alike = new Map(parameters);
    for (const [name, tensor] of parameters) {
      if (!/[kv]_proj/.test(name)) continue;
      const data = (tensor.data as Float32Array).slice();
      const head = data.length / 4;
      const size = 4 / numKvHeads;
      for (let i = 0; i < data.length; i++) data[i] = data[Math.floor(i / (head * size)) * head * size + (i % head)]!;
      alike.set(name, { ...tensor, data });
    }
    const grouped = groupKvHeads(model, alike, numKvHeads);
    const converted = modelFromConfig(grouped.config);
    const [before, after] = [exactLogits(model, alike, ids), exactLogits(converted, grouped.parameters, ids)];
    for (const [i, row] of before.entries())
      for (const [j, value] of row.entries()) expect(after[i]![j]).toBeCloseTo(value, 6);
    // the cache shrinks in proportion
    expect(converted.caches.map((cache) => cache!.numKvHeads)).toEqual([numKvHeads, numKvHeads]);
  });

  it("says what does not divide, and which models have no such heads", () => {
    expect(() => groupKvHeads(model, parameters, 3)).toThrow("4 key/value heads do not divide into 3");
    const gpt2 = modelFromConfig({ model_type: "gpt2", vocab_size: 5, n_embd: 8, n_layer: 1, n_head: 2 });
    expect(() => groupKvHeads(gpt2, initialize(parameterSpecs(gpt2), 1), 1)).toThrow(/gpt2 models cannot be grouped/);
  });
});
