import { describe, expect, it } from "vitest";
import { worstDifference } from "../../../test/support/graph.js";
import { alibiSlopes, bidirectionalAlibi, causalAlibi } from "./alibi.js";

const softmax = (row: number[]): number[] => {
  const powers = row.map((x) => Math.exp(x - Math.max(...row)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
};

describe("ALiBi", () => {
  it("has the slopes of the paper, for any number of heads", () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((h) => 2 ** -h));
    // build_alibi_tensor of transformers 5.18
    expect(alibiSlopes(6)).toEqual([0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]);
    const twelve = [
      0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625, 0.7071067690849304, 0.3535533845424652,
      0.1767766773700714, 0.0883883386850357,
    ];
    expect(worstDifference(alibiSlopes(12), twelve)).toBeLessThan(1e-7);
    expect(alibiSlopes(1)).toEqual([2 ** -8]);
  });

  it("by key alone gives the probabilities of the distance", () => {
    const [heads, time] = [3, 6];
    const [byKey, byDistance] = [causalAlibi(heads, time).data, bidirectionalAlibi(heads, time, time).data];
    for (let h = 0; h < heads; h++) {
      for (let query = 0; query < time; query++) {
        const seen = Array.from({ length: query + 1 }, (_, key) => key);
        const scores = seen.map((key) => Math.sin(7 * query + 3 * key));
        const a = softmax(seen.map((key) => scores[key]! + Number(byKey[h * time + key])));
        const b = softmax(seen.map((key) => scores[key]! + Number(byDistance[(h * time + query) * time + key])));
        expect(worstDifference(a, b)).toBeLessThan(1e-6);
      }
    }
  });

  it("is symmetric where both sides are seen", () => {
    const bias = bidirectionalAlibi(2, 4, 4).data;
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) expect(bias[16 + i * 4 + j]).toBe(bias[16 + j * 4 + i]);
    }
  });
});
