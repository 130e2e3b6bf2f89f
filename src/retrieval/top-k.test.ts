/** @file The heap against sorting. */
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
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
