/** @file Rank fusion against values worked out by hand. */
import { describe, expect, it } from "vitest";
import { reciprocalRankFusion } from "./fuse.js";

describe("reciprocalRankFusion", () => {
  it("adds the reciprocal ranks of each key", () => {
    const fused = reciprocalRankFusion([
      ["a", "b", "c"],
      ["c", "a"],
    ]);
    expect(fused).toEqual([
      { key: "a", score: 1 / 61 + 1 / 62, ranks: [1, 2] },
      { key: "c", score: 1 / 63 + 1 / 61, ranks: [3, 1] },
      { key: "b", score: 1 / 62, ranks: [2, undefined] },
    ]);
  });

  it("prefers a key that is middling in both lists to one that is first in one", () => {
    const left = ["first", ...Array.from({ length: 30 }, (_, i) => `l${i}`), "both"];
    const right = [...Array.from({ length: 30 }, (_, i) => `r${i}`), "both"];
    expect(reciprocalRankFusion([left, right])[0]!.key).toBe("both");
  });

  it("gives first ranks more weight the smaller k is", () => {
    const lists = [
      ["a", "b"],
      ["c", "b"],
    ];
    expect(reciprocalRankFusion(lists, 60)[0]!.key).toBe("b");
    expect(reciprocalRankFusion(lists, 0)[0]!.key).not.toBe("c");
    expect(reciprocalRankFusion(lists, 0)[0]).toEqual({ key: "a", score: 1, ranks: [1, undefined] });
  });

  it("keeps the order of one list and knows empty ones", () => {
    expect(reciprocalRankFusion([["x", "y"], []]).map(({ key }) => key)).toEqual(["x", "y"]);
    expect(reciprocalRankFusion([[], []])).toEqual([]);
    expect(reciprocalRankFusion([])).toEqual([]);
  });
});
