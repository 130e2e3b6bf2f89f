import { describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { Rng } from "../base/rng.js";
import { createAdapter, merge, tuningOf } from "../peft/index.js";
import { tuningSpectra } from "./spectra.js";

const model = tinyModel();

/** Weights before, and with a LoRA of rank 3 merged in. */
function tuned() {
  const adapter = createAdapter(model, { config: { r: 3 } });
  const after = new Map([...tinyParameters(model), ...tuningOf(model, adapter).start(tinyParameters(model))]);
  const rng = new Rng(2);
  for (const [name, { data }] of after)
    if (name.includes("lora_"))
      data.forEach((_, i) => {
        data[i] = rng.normal();
      });
  merge(model, adapter, after);
  return { before: tinyParameters(model), after };
}

describe("tuningSpectra", () => {
  it("finds the rank of an adapter in the weights it was merged into, and a rank that holds its energy", () => {
    const { before, after } = tuned();
    const spectra = [...tuningSpectra(model, before, after)];
    expect(spectra).toHaveLength(14);
    for (const { name, weight, change, changeRank, weightRank } of spectra) {
      expect(change.length, name).toBe(weight.length);
      // what is beyond rank 3 is the rounding of merged float32 weights
      expect(change[3]! / change[0]!, name).toBeLessThan(1e-5);
      expect(changeRank).toBeLessThanOrEqual(3);
      expect(weightRank).toBeGreaterThan(changeRank);
      const energy = (values: Float64Array): number => values.reduce((sum, s) => sum + s * s, 0);
      expect(energy(change.subarray(0, changeRank)) / energy(change)).toBeGreaterThanOrEqual(0.9);
      expect(energy(change.subarray(0, changeRank - 1)) / energy(change)).toBeLessThan(0.9);
    }
  });

  it("looks at the targets alone, and names what there is", () => {
    const { before, after } = tuned();
    const names = [...tuningSpectra(model, before, after, { targets: ["k_proj"], energy: 1 })].map(({ name }) => name);
    expect(names).toEqual([0, 1].map((i) => `model.layers.${i}.self_attn.k_proj.weight`));
    expect(() => [...tuningSpectra(model, before, after, { targets: ["key"] })]).toThrow(
      "called key; this model has: q_proj",
    );
    expect(() => [...tuningSpectra(model, before, new Map())]).toThrow("is missing after tuning");
  });
});
