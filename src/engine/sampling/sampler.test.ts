import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { type SamplingOptions, sample } from "./sampler.js";

const logits = Float32Array.from([0.5, 2, 1, -1, 2].map((p) => p));

/** Share of draws by token. */
function shares(options: SamplingOptions, draws = 20_000): number[] {
  const rng = new Rng(1);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < draws; i++) counts[sample(logits, options, rng)]!++;
  return counts.map((n) => n / draws);
}

const softmax = (temperature: number, kept: number[]): number[] => {
  const weights = [...logits].map((z, i) => (kept.includes(i) ? Math.exp(z / temperature) : 0));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / total);
};

describe("sample", () => {
  it("takes the largest logit at temperature 0, the smaller id where two are equal", () => {
    expect(sample(logits, {}, new Rng(1))).toBe(1);
  });

  it.each([
    ["temperature 1", { temperature: 1 }, 1, [0, 1, 2, 3, 4]],
    ["temperature 2", { temperature: 2 }, 2, [0, 1, 2, 3, 4]],
    ["the two largest", { temperature: 1, topK: 2 }, 1, [1, 4]],
    ["the three most probable, which reach 0.85", { temperature: 1, topP: 0.85 }, 1, [1, 2, 4]],
    ["top-k first, then top-p of what is left", { temperature: 1, topK: 3, topP: 0.5 }, 1, [1, 4]],
  ] as const)("draws from the softmax of %s", (_, options, temperature, kept) => {
    const expected = softmax(temperature, [...kept]);
    // 20,000 draws: three standard deviations of a share are about 0.01
    for (const [i, share] of shares(options).entries()) expect(Math.abs(share - expected[i]!)).toBeLessThan(0.012);
  });
});
