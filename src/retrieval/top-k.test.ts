/** @file Both heaps against sorting. */
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { BestFirst } from "./best-first.js";
import { TopK } from "./top-k.js";

/** Few different scores, so that there are many ties. */
function randomScores(seed: number, length: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length }, () => rng.below(50));
}

describe("TopK", () => {
  it.each([1, 2, 7, 100, 1000])("keeps the %i best, and of equals those with the smaller keys", (k) => {
    const scores = randomScores(k, 300);
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
    const best = new TopK(k);
    for (const key of new Rng(1).shuffle([...scores.keys()])) best.push(key, scores[key]!);
    expect(best.sorted().map(({ key }) => key)).toEqual(order.slice(0, k));
    expect(best.threshold).toBe(k > 300 ? Number.NEGATIVE_INFINITY : scores[order[k - 1]!]);
  });
});

describe("BestFirst", () => {
  it.each([0, 1, 2, 3, 64, 301])("takes %i entries out in falling order", (length) => {
    const scores = randomScores(length, length + 5);
    const expected = [...scores.subarray(0, length)].sort((a, b) => b - a);
    const entries = new BestFirst(Uint32Array.from(scores.keys()), scores.slice(), length);
    const taken: number[] = [];
    while (entries.length > 0) {
      expect(entries.topScore).toBe(expected[taken.length]);
      taken.push(...entries.take(7));
    }
    expect(taken.map((key) => scores[key])).toEqual(expected);
    expect(new Set(taken).size).toBe(length);
    expect(entries.topScore).toBe(Number.NEGATIVE_INFINITY);
  });
});
