/** @file Maximal marginal relevance against its formula, tried on every candidate at every step. */
import { expect, it } from "vitest";
import { ConfigError } from "../base/errors.js";
import { Rng } from "../base/rng.js";
import { maximalMarginalRelevance, similarityOf } from "./mmr.js";

it("takes at each step what the formula says", () => {
  const rng = new Rng(1);
  for (let n = 0; n < 100; n++) {
    const size = 1 + rng.below(12);
    const relevance = Array.from({ length: size }, () => rng.uniform());
    const table = Array.from({ length: size }, () => Array.from({ length: size }, () => 2 * rng.uniform() - 1));
    const lambda = rng.uniform();
    const expected: number[] = [];
    while (expected.length < Math.min(5, size)) {
      const scores = relevance.map((of, i) => {
        if (expected.includes(i)) return Number.NEGATIVE_INFINITY;
        return (
          lambda * of - (1 - lambda) * (expected.length === 0 ? 0 : Math.max(...expected.map((j) => table[i]![j]!)))
        );
      });
      expected.push(scores.indexOf(Math.max(...scores)));
    }
    const taken = maximalMarginalRelevance(relevance, (a, b) => table[a]![b]!, { count: 5, lambda });
    expect(taken.map(({ index }) => index)).toEqual(expected);
  }
});

it("goes by relevance alone at 1 and refuses other weights", () => {
  const taken = maximalMarginalRelevance([0.1, 0.9, 0.9, 0.5], () => 1, { count: 9, lambda: 1 });
  expect(taken.map(({ index }) => index)).toEqual([1, 2, 3, 0]);
  for (const lambda of [-0.1, 1.1, Number.NaN]) {
    expect(() => maximalMarginalRelevance([1], () => 0, { count: 1, lambda })).toThrow(ConfigError);
  }
});

it("measures likeness by vectors where all have one, by terms otherwise", () => {
  const byTerms = similarityOf([{ text: "red apples" }, { text: "a red apple" }, { text: "数据" }, { text: "" }]);
  expect(byTerms(0, 1)).toBeCloseTo(2 / Math.sqrt(6), 9);
  expect([byTerms(0, 2), byTerms(0, 3), byTerms(3, 3)]).toEqual([0, 0, 0]);
  const withVectors = [Float32Array.of(1, 0), Float32Array.of(0.6, 0.8)].map((vector) => ({ text: "same", vector }));
  expect(similarityOf(withVectors)(0, 1)).toBeCloseTo(0.6, 6);
  expect(similarityOf([...withVectors, { text: "same" }])(0, 1)).toBe(1);
});
