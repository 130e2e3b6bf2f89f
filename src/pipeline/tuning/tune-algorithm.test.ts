import { describe, expect, it } from "vitest";
import { tinyModel } from "../../../test/support/tiny-model.js";
import type { Precision } from "../../plan/index.js";
import type { AlgorithmName } from "../../train/index.js";
import { planTable } from "./plan-table.js";
import { tuneSettings } from "./tune-config.js";

const minimal = { base: "model", data: "rows.jsonl" };

describe("settings", () => {
  it("follow the algorithm where nothing else is said", () => {
    expect(tuneSettings(minimal)).toMatchObject({ algorithm: "backprop", optimizer: "adamw", clipNorm: 1 });
    expect(tuneSettings({ ...minimal, algorithm: "lomo" })).toMatchObject({ optimizer: "sgd", clipNorm: 1 });
    expect(tuneSettings({ ...minimal, algorithm: "mezo" })).toMatchObject({ optimizer: "sgd", clipNorm: null });
    expect(tuneSettings({ ...minimal, algorithm: "lomo", clipNorm: null }).clipNorm).toBe(null);
    expect(tuneSettings({ ...minimal, algorithm: "lomo", clipValue: 0.1 }).clipNorm).toBe(null);
    // what is written into a manifest reads back as it was
    const settings = tuneSettings({ ...minimal, algorithm: "mezo", epsilon: 0.01 });
    expect(tuneSettings(settings)).toEqual(settings);
  });

  it.each([
    [{ algorithm: "lomo", optimizer: "adamw" }, /"lomo" takes plain SGD steps.*leave out optimizer "adamw"/],
    [{ algorithm: "mezo", clipNorm: 1 }, /"mezo" has no gradients to clip/],
    [{ algorithm: "lomo", epsilon: 0.1 }, /"epsilon" is an option of algorithm "mezo", not of "lomo"/],
    [
      { algorithm: "mezo", selectedTokens: 0.5 },
      /"selectedTokens" is an option of algorithm "backprop", not of "mezo"/,
    ],
    [{ selectedTokens: 0 }, /selectedTokens/],
    [{ quantize: "int4" }, /quantize "int4" .* method "lora" adds others .* give method "full"/],
    [{ quantize: "int8", method: "full", frozen: "nf4" }, /leave out frozen "nf4"/],
    [{ quantize: "int4", method: "full", algorithm: "mezo" }, /"mezo" has none/],
    [{ precision: "bfloat16", algorithm: "mezo" }, /"mezo" has forward passes alone/],
    [{ precision: "float16", algorithm: "lomo" }, /could not be skipped; give precision "bfloat16"/],
    [{ clipValue: 0.1 }, /"clipValue" is an option of algorithm "lomo", not of "backprop"/],
  ] as const)("refuse %o", (changes, message) => {
    expect(() => tuneSettings({ ...minimal, ...changes })).toThrow(message);
  });
});

it("the table shows what each algorithm keeps", () => {
  const model = tinyModel({ hidden_size: 64, intermediate_size: 192, num_hidden_layers: 6 });
  const cell = (
    algorithm: AlgorithmName,
    { selectedTokens, precision = "float32" }: { selectedTokens?: number; precision?: Precision } = {},
  ) => {
    const request = { lengths: [32], optimizer: undefined, batchSize: 1, memoryBytes: undefined, selectedTokens };
    const [only] = planTable(model, { ...request, methods: ["full"], algorithm, precision, flopsPerSecond: 1e9 });
    if (!only?.fits) throw new Error(`${algorithm} does not fit`);
    return only;
  };
  const quarter = cell("backprop", { selectedTokens: 0.25 });
  const [backprop, lomo, mezo] = [cell("backprop"), cell("lomo"), cell("mezo")];
  expect(backprop.memory.optimizer).toBe(2 * backprop.memory.gradients);
  expect(quarter.memory.residuals).toBeLessThan(0.5 * backprop.memory.residuals);
  expect(quarter.memory.activations).toBeLessThan(0.6 * backprop.memory.activations);
  expect(quarter.memory).toMatchObject({ gradients: backprop.memory.gradients, weights: backprop.memory.weights });
  expect(quarter.secondsPerStep).toBeLessThan(0.7 * backprop.secondsPerStep);
  expect(lomo.memory.optimizer).toBe(0);
  const halved = cell("backprop", { precision: "bfloat16" });
  expect(halved.memory.residuals).toBe(backprop.memory.residuals / 2);
  expect(halved.memory.weights).toBe(backprop.memory.weights);
  // six layers take turns
  expect(lomo.memory.gradients).toBeLessThan(backprop.memory.gradients / 5);
  expect(mezo.memory).toMatchObject({ gradients: 0, optimizer: 0, residuals: 0, weights: lomo.memory.weights });
  expect(mezo.memory.total).toBeLessThan(lomo.memory.total);
  // two forward passes beside a forward and two backward ones
  expect(mezo.secondsPerStep).toBeLessThan(lomo.secondsPerStep);
});
