import { describe, expect, it } from "vitest";
import { ConfigError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { PairMerger } from "../algorithms/pair-merger.js";
import { PairTable } from "../algorithms/pair-table.js";
import { mergeWithDropout } from "./bpe-dropout.js";

/** Merges over the symbols 0 and 1; the product of rank r is r + 2. */
const merges = [
  [0, 1],
  [2, 0],
  [1, 1],
  [2, 2],
  [3, 1],
  [0, 0],
] as const;
const pairs = new PairTable(merges.length);
merges.forEach(([left, right], rank) => {
  pairs.set(left, right, rank, rank + 2);
});

/** Algorithm 1 of the paper, word for word. */
function naive(symbols: readonly number[], dropout: number, rng: Rng): number[] {
  const current = [...symbols];
  for (;;) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1];
    for (let i = 0; i + 1 < current.length; i++) {
      const slot = pairs.find(current[i]!, current[i + 1]!);
      if (slot < 0 || rng.uniform() < dropout) continue;
      if (pairs.rank(slot) < best) [best, at] = [pairs.rank(slot), i];
    }
    if (at < 0) return current;
    current.splice(at, 2, best + 2);
  }
}

function shares(draw: () => number[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < numDraws; i++) {
    const key = draw().join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1 / numDraws);
  }
  return counts;
}

const numDraws = 20_000;

describe("mergeWithDropout", () => {
  it("is BPE without dropout and leaves all symbols with a dropout of 1", () => {
    const rng = new Rng(1);
    const merger = new PairMerger(pairs);
    for (let round = 0; round < 200; round++) {
      const symbols = Array.from({ length: rng.below(80) }, () => rng.below(2));
      const merged = Int32Array.from(symbols);
      const count = merger.merge(merged, symbols.length);
      expect(mergeWithDropout(symbols, pairs, 0, rng)).toEqual([...merged.subarray(0, count)]);
      expect(mergeWithDropout(symbols, pairs, 1, rng)).toEqual(symbols);
    }
  });

  it.each([0.1, 0.5])("gives each outcome as often as the published algorithm: dropout %d", (dropout) => {
    const symbols = [0, 1, 0, 1, 1, 0];
    const [ours, theirs] = [new Rng(2), new Rng(3)];
    const expected = shares(() => naive(symbols, dropout, theirs));
    const found = shares(() => mergeWithDropout(symbols, pairs, dropout, ours));
    for (const [outcome, share] of expected) {
      // five standard deviations of the difference of two shares
      const tolerance = 5 * Math.sqrt((2 * share * (1 - share)) / numDraws) + 5 / numDraws;
      expect(Math.abs((found.get(outcome) ?? 0) - share), outcome).toBeLessThan(tolerance);
    }
  });

  it.each([-0.1, 1.1, Number.NaN])("rejects a dropout of %d", (dropout) => {
    expect(() => mergeWithDropout([0, 1], pairs, dropout, new Rng(1))).toThrow(ConfigError);
  });
});
