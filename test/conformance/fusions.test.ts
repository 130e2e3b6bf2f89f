/** @file What every registered way to fuse ranked lists keeps to. */
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { Rng } from "../../src/base/rng.js";
import { type Fusion, fusions, type ScoredKey } from "../../src/retrieval/index.js";

const list = (...scores: readonly (readonly [string, number])[]): ScoredKey<string>[] =>
  scores.map(([key, score]) => ({ key, score }));

function randomList(rng: Rng): ScoredKey<number>[] {
  const keys = rng.shuffle(Array.from({ length: 20 }, (_, i) => i)).slice(0, rng.below(12));
  const scores = keys.map(() => 10 * rng.normal()).sort((a, b) => b - a);
  return keys.map((key, i) => ({ key, score: scores[i]! }));
}

describe.each(Object.entries(fusions))("fusion %s", (key, fusion: Fusion) => {
  const keysOf = (lists: readonly ScoredKey<string>[][], weights?: readonly number[]): string[] =>
    fusion.fuse(lists, weights).map((fused) => fused.key);

  it("has its registry key as name", () => {
    expect(fusion.name).toBe(key);
  });

  it("keeps the order of one list, and of two that are alike", () => {
    const one = list(["a", 9], ["b", 3], ["c", -1]);
    expect(keysOf([one])).toEqual(["a", "b", "c"]);
    expect(keysOf([one, one])).toEqual(["a", "b", "c"]);
    expect(keysOf([one, []])).toEqual(["a", "b", "c"]);
    expect(keysOf([[], []])).toEqual([]);
    expect(keysOf([])).toEqual([]);
  });

  it("does not depend on the scale of a list", () => {
    const rng = new Rng(2);
    for (let n = 0; n < 200; n++) {
      const [a, b] = [randomList(rng), randomList(rng)];
      const moved = a.map(({ key: k, score }) => ({ key: k, score: 1000 * score - 7 }));
      const scores = (lists: readonly ScoredKey<number>[][]) =>
        new Map(fusion.fuse(lists).map((fused) => [fused.key, Number(fused.score.toFixed(6))]));
      expect(scores([moved, b])).toEqual(scores([a, b]));
    }
  });

  it("has every key once, best first, with its rank in each list", () => {
    const rng = new Rng(3);
    for (let n = 0; n < 200; n++) {
      const lists = [randomList(rng), randomList(rng), randomList(rng)];
      const fused = fusion.fuse(lists);
      expect(new Set(fused.map((entry) => entry.key))).toEqual(new Set(lists.flat().map((entry) => entry.key)));
      expect(new Set(fused.map((entry) => entry.key)).size).toBe(fused.length);
      for (const [i, { key: k, score, ranks }] of fused.entries()) {
        expect(score).toBeLessThanOrEqual(fused[i - 1]?.score ?? Number.POSITIVE_INFINITY);
        expect(ranks).toEqual(
          lists.map((entries) => {
            const rank = entries.findIndex((entry) => entry.key === k) + 1;
            return rank === 0 ? undefined : rank;
          }),
        );
      }
    }
  });

  it("lets weights decide, and a list of weight 0 say nothing", () => {
    const [a, b] = [list(["x", 2], ["y", 1]), list(["y", 2], ["x", 1])];
    expect(keysOf([a, b], [2, 1])).toEqual(["x", "y"]);
    expect(keysOf([a, b], [1, 2])).toEqual(["y", "x"]);
    expect(fusion.fuse([a, b], [1, 0])[1]!.score).toBeLessThan(fusion.fuse([a, b], [1, 0])[0]!.score);
    expect(keysOf([a, b], [0, 1])).toEqual(["y", "x"]);
  });

  it("prefers what both lists found", () => {
    const [a, b] = [list(["x", 9], ["both", 8], ["z", 0]), list(["y", 9], ["both", 8], ["w", 0])];
    expect(keysOf([a, b])[0]).toBe("both");
  });

  it("knows lists without a spread", () => {
    const equal = list(["a", 5], ["b", 5]);
    for (const { score } of fusion.fuse([equal, list(["a", 1])])) expect(score).toBeGreaterThan(0);
    expect(keysOf([equal, list(["b", 1])])[0]).toBe("b");
  });

  it("refuses weights that do not fit", () => {
    for (const weights of [[1], [1, -1], [1, Number.NaN], [1, 1, 1]]) {
      expect(() => fusion.fuse([list(["a", 1]), []], weights)).toThrow(ConfigError);
    }
  });
});

describe("fusions of scores", () => {
  it("count how far the first is ahead, in their units", () => {
    const lists = [list(["a", 10], ["b", 4], ["c", 0]), list(["b", 3], ["c", 1], ["d", 1])];
    const scores = (fusion: Fusion) => Object.fromEntries(fusion.fuse(lists, [1, 2]).map((f) => [f.key, f.score]));
    expect(scores(fusions["min-max"])).toEqual({ a: 1, b: expect.closeTo(0.4 + 2, 9), c: 0, d: 0 });
    const [first, second] = [Math.sqrt(152 / 9), Math.sqrt(8 / 9)];
    expect(scores(fusions["z-score"])).toEqual({
      a: expect.closeTo(10 / first, 9),
      b: expect.closeTo(4 / first + 4 / second, 9),
      c: 0,
      d: 0,
    });
  });
});
