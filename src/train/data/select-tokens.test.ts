import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { countTargets, type PackedDataset, packDocuments } from "./packing.js";
import { padDocuments } from "./padded.js";
import { selectTokens } from "./select-tokens.js";

const ids = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
const time = 8;

/** How often each position of row 0 is selected in `draws` draws. */
function frequencies(dataset: PackedDataset, count: number, draws: number): number[] {
  const rng = new Rng(5);
  const hits = new Array<number>(time).fill(0);
  for (let i = 0; i < draws; i++) for (const place of selectTokens(dataset, [0], count, rng)) hits[place]!++;
  return hits.map((hit) => hit / draws);
}

describe("selectTokens", () => {
  it("draws as many of each row, each once, in order", () => {
    const dataset = packDocuments([{ ids: ids(25) }], time);
    for (let seed = 0; seed < 20; seed++) {
      const selected = [...selectTokens(dataset, [2, 0], 3, new Rng(seed))];
      expect(selected).toEqual([...new Set(selected)].sort((a, b) => a - b));
      expect(selected.filter((place) => place < time)).toHaveLength(3);
      expect(selected.every((place) => place >= 0 && place < 2 * time)).toBe(true);
    }
    expect(selectTokens(dataset, [1], time, new Rng(1))).toEqual(ids(time));
  });

  it("draws every position as often", () => {
    for (const share of frequencies(packDocuments([{ ids: ids(9) }], time), 2, 4000)) {
      // standard deviation of a share of 1/4 in 4,000 draws: 0.007
      expect(Math.abs(share - 0.25)).toBeLessThan(0.035);
    }
  });

  it("takes padding only where tokens run out", () => {
    const padded = padDocuments([{ ids: ids(6) }], time);
    expect(frequencies(padded, 3, 500).slice(5)).toEqual([0, 0, 0]);
    expect(selectTokens(padded, [0], 6, new Rng(1)).filter((place) => place < 5)).toEqual(ids(5));
  });

  it("has a target of each row that has one, and counts them", () => {
    const targets = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1);
    const rare = packDocuments([{ ids: ids(9), targets }], time);
    expect(frequencies(rare, 2, 100)[7]).toBe(1);
    const none = packDocuments([{ ids: ids(9), targets: new Uint8Array(9) }], time);
    expect(countTargets(none, [0], selectTokens(none, [0], 2, new Rng(1)))).toBe(0);
    const two = padDocuments([{ ids: ids(9), targets }, { ids: ids(9) }], time);
    expect(countTargets(two, [1, 0], Int32Array.of(0, 3, 14, 15))).toBe(3);
    expect(countTargets(two, [1, 0])).toBe(9);
  });
});
