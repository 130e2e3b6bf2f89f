import { describe, expect, it } from "vitest";
import { followers, ngramLookup } from "./ngram-lookup.js";

describe("n-gram lookup", () => {
  it.each([
    // the longest match counts, of equal ones the latest
    [[1, 2, 3, 7, 2, 3, 8, 1, 2, 3], 2, 3, [7, 2]],
    [[1, 2, 7, 1, 2, 8, 1, 2], 2, 3, [8, 1]],
    [[5, 1, 2, 9, 4, 2], 2, 3, []],
    [[5, 1, 2, 9, 4, 2], 1, 3, [9, 4]],
    // a loop goes on
    [[1, 2, 3, 3], 1, 1, [3, 3]],
    [[4, 5, 4, 5], 2, 4, [4, 5]],
    [[1], 1, 3, []],
  ])("follows %j with sizes %i to %i by %j", (ids, min, max, expected) => {
    expect(followers(ids, { min, max, limit: 2 })).toEqual(expected);
  });

  it("names what is wrong with its options", () => {
    expect(() => ngramLookup({ min: 0 })).toThrow("min must be a whole number from 1, got 0");
    expect(() => ngramLookup({ tokens: 1.5 })).toThrow("tokens must be a whole number from 1, got 1.5");
    expect(() => ngramLookup({ min: 5 })).toThrow("min (5) must not be above max (4)");
  });
});
