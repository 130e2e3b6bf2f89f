import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { choicesConstraint, TokenTrie } from "./constraints/index.js";
import { candidateFilters } from "./filters/index.js";
import type { SamplingOptions } from "./options.js";
import { logitsProcessors } from "./processors/index.js";
import { checkSampling, Sampler, type SamplerRequest, sample } from "./sampler.js";

const logits = Float32Array.from([0.5, 2, 1, -1, 2]);
const request: SamplerRequest = { vocabSize: 5, stopIds: new Set([3]), prompt: [], seed: 1 };

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

/** Probabilities of all tokens after the steps. */
function distribution(options: SamplingOptions, row: Float32Array, prompt: readonly number[]): number[] {
  const sampler = new Sampler(options, { ...request, vocabSize: row.length, prompt });
  const candidates = sampler.distribution(row);
  const [weights, total] = [candidates.weights(), candidates.totalWeight()];
  const result = new Array<number>(row.length).fill(0);
  for (let i = 0; i < candidates.size; i++) result[candidates.ids[i]!] = weights[i]! / total;
  return result;
}

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
    ["those at least a third as likely as the likeliest", { temperature: 1, minP: 0.33 }, 1, [1, 2, 4]],
  ] as const)("draws from the softmax of %s", (_, options, temperature, kept) => {
    const expected = softmax(temperature, [...kept]);
    // 20,000 draws: three standard deviations of a share are about 0.01
    for (const [i, share] of shares(options).entries()) expect(Math.abs(share - expected[i]!)).toBeLessThan(0.012);
  });

  it("refuses options that need the text so far", () => {
    expect(() => sample(logits, { presencePenalty: 1 }, new Rng(1))).toThrow(/need a Sampler/);
    expect(() => sample(logits, { minTokens: 2 }, new Rng(1))).toThrow(/need a Sampler/);
  });
});

describe("steps", () => {
  it("stand in their registries under their names", () => {
    for (const [key, step] of Object.entries({ ...logitsProcessors, ...candidateFilters })) expect(step.name).toBe(key);
  });

  const golden = JSON.parse(
    readFileSync(new URL("../../../test/golden/sampling/processors.json", import.meta.url), "utf8"),
  ) as {
    logits: number[];
    history: number[];
    cases: { name: string; options: SamplingOptions; probabilities: number[] }[];
  };

  it.each(golden.cases)("give the probabilities of Hugging Face's: $name", ({ options, probabilities }) => {
    const found = distribution({ temperature: 1, ...options }, Float32Array.from(golden.logits), golden.history);
    // float32 there, float64 here
    for (const [id, p] of found.entries()) expect(Math.abs(p - probabilities[id]!)).toBeLessThan(2e-7);
  });

  it("take frequency and presence penalties of generated tokens only", () => {
    const sampler = new Sampler(
      { frequencyPenalty: 0.5, presencePenalty: 0.25, temperature: 1 },
      { ...request, prompt: [0] },
    );
    for (const id of [1, 4, 1]) sampler.accept(id);
    const candidates = sampler.distribution(logits);
    expect([...candidates.logits.subarray(0, 5)]).toEqual([0.5, 2 - 1 - 0.25, 1, -1, 2 - 0.5 - 0.25]);
  });

  it("add biases, ban ids, and keep the text from ending early", () => {
    const sampler = new Sampler({ logitBias: new Map([[3, 10]]), bannedIds: new Set([1]), minTokens: 2 }, request);
    expect([1, 2, 3].map(() => sampler.next(logits).id)).toEqual([4, 4, 3]);
    expect([...logits]).toEqual([0.5, 2, 1, -1, 2]);
  });
});

describe("Sampler", () => {
  it("replays a seed exactly, and differs with another", () => {
    const run = (seed: number): number[] => {
      const sampler = new Sampler({ temperature: 2, topP: 0.95, frequencyPenalty: 0.1 }, { ...request, seed });
      return Array.from({ length: 40 }, () => sampler.next(logits).id);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
  });

  it("gives the model's own log-probabilities, whatever the steps", () => {
    const total = [...logits].reduce((sum, z) => sum + Math.exp(z), 0);
    const { id, logprobs } = new Sampler({ bannedIds: new Set([1]), logprobs: 2, topK: 1 }, request).next(logits);
    expect(id).toBe(4);
    expect(logprobs?.logprob).toBeCloseTo(2 - Math.log(total), 12);
    expect(logprobs?.top.map((top) => top.id)).toEqual([1, 4]);
    expect(new Sampler({ logprobs: 0 }, request).next(logits).logprobs?.top).toEqual([]);
  });

  it("follows a constraint, says whether it is complete, and then allows only the end", () => {
    const bytes = ["y", "e", "s", undefined, "n"].map((text) => text && new TextEncoder().encode(text)) as (
      | Uint8Array
      | undefined
    )[];
    const constraint = choicesConstraint(["yes", "yesyes"], new TokenTrie(bytes));
    const sampler = new Sampler({ minTokens: 2 }, { ...request, constraint });
    const taken = [0, 1, 2].map(() => sampler.next(Float32Array.of(0, 0, 0, 9, 9)).id);
    expect(taken).toEqual([0, 1, 2]);
    expect([sampler.constraintStatus, sampler.isDone]).toEqual(["complete", false]);
    expect(() => sampler.accept(4)).toThrow(ConfigError);
    const longer = new Sampler({}, { ...request, constraint });
    for (const id of [0, 1, 2, 0]) longer.accept(id);
    expect(longer.constraintStatus).toBe("unfinished");
    for (const id of [1, 2]) longer.accept(id);
    expect([longer.constraintStatus, longer.isDone]).toEqual(["complete", true]);
    expect(longer.next(Float32Array.of(9, 9, 9, -9, 9)).id).toBe(3);
  });

  it("says when nothing is left to choose, and when a logit is no number", () => {
    const constraint = choicesConstraint(["a"], new TokenTrie([Uint8Array.of(97), undefined]));
    const sampler = new Sampler(
      { bannedIds: new Set([0]) },
      { ...request, vocabSize: 2, stopIds: new Set(), constraint },
    );
    expect(() => sampler.next(Float32Array.of(0, 0))).toThrow(DataError);
    expect(() => sample(Float32Array.of(0, Number.NaN), { temperature: 1 }, new Rng(1))).toThrow(DataError);
  });

  it.each([
    { temperature: -1 },
    { temperature: Number.NaN },
    { topK: 0 },
    { topK: 1.5 },
    { topP: 0 },
    { topP: 1.1 },
    { minP: -0.1 },
    { minP: 2 },
    { typicalP: 0 },
    { repetitionPenalty: 0 },
    { frequencyPenalty: 3 },
    { presencePenalty: -3 },
    { logitBias: new Map([[-1, 1]]) },
    { logitBias: new Map([[1, 1e9]]) },
    { bannedIds: new Set([0.5]) },
    { minTokens: -1 },
    { logprobs: 21 },
    { logprobs: 0.5 },
  ] satisfies SamplingOptions[])("refuses %o", (options) => {
    expect(() => checkSampling(options)).toThrow(ConfigError);
  });

  it("refuses ids outside of the vocabulary", () => {
    expect(() => new Sampler({ logitBias: new Map([[5, 1]]) }, request)).toThrow(/outside the vocabulary of 5/);
    expect(() => new Sampler({ bannedIds: new Set([5]) }, request)).toThrow(/outside the vocabulary of 5/);
    expect(() => new Sampler({ bannedIds: new Set([0, 1, 2, 3, 4]) }, request)).toThrow(/leave one/);
  });
});
