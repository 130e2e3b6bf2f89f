import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { indicesOfLargest, selectMass } from "./select.js";

const rng = new Rng(3);
/** Many equal keys, so that ties are met. */
const rows = Array.from({ length: 200 }, () => Array.from({ length: 1 + rng.below(60) }, () => rng.below(12)));

function sorted(keys: readonly number[]): number[] {
  return [...keys.keys()].sort((a, b) => keys[b]! - keys[a]! || a - b);
}

describe("indicesOfLargest", () => {
  it("gives the first of the sorted indices, whatever their number", () => {
    for (const keys of rows) {
      const count = rng.below(keys.length + 3);
      expect([...indicesOfLargest(keys, keys.length, count)]).toEqual(sorted(keys).slice(0, count));
    }
  });
});

describe("selectMass", () => {
  it("gives the fewest of the sorted indices that reach a goal", () => {
    for (const keys of rows) {
      const weights = keys.map(() => 1 + rng.below(5));
      const goal = 1 + rng.below(weights.reduce((a, b) => a + b));
      const order = sorted(keys);
      const mass = (length: number): number => order.slice(0, length).reduce((sum, i) => sum + weights[i]!, 0);
      const expected = order.filter((_, rank) => mass(rank) < goal);
      const indices = new Int32Array(keys.length);
      const count = selectMass(indices, keys.length, keys, weights, goal);
      expect([...indices.subarray(0, count)].sort()).toEqual(expected.sort());
    }
  });

  it("gives all where they do not reach it", () => {
    expect(selectMass(new Int32Array(3), 3, [1, 2, 3], [1, 1, 1], 3.5)).toBe(3);
  });
});
