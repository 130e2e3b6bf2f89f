import { describe, expect, it } from "vitest";
import { ConfigError } from "../../base/errors.js";
import { BatchOrder } from "./packing.js";
import { padDocuments } from "./padded.js";
import {
  curriculum,
  documentLengths,
  lengthGrouped,
  type OrderRule,
  rowLengths,
  rowScores,
  shuffled,
} from "./row-order.js";

const lengths = Array.from({ length: 40 }, (_, i) => 2 + ((i * 7) % 11));
const dataset = padDocuments(
  lengths.map((length) => ({ ids: new Int32Array(length + 1) })),
  12,
);
const epoch = (rule: OrderRule, which: number, seed = 3): number[] => {
  const order = rule(dataset, 2, seed);
  return Array.from({ length: 20 }, (_, i) => order.rowsOf(20 * which + i)).flat();
};
const all = Array.from({ length: 40 }, (_, i) => i);

describe.each(Object.entries({ shuffled, lengthGrouped, curriculum: curriculum() }))("%s", (_, rule) => {
  it("visits every row once per epoch, by seed and epoch alone", () => {
    for (const which of [0, 1, 5]) {
      expect([...epoch(rule, which)].sort((a, b) => a - b)).toEqual(all);
      expect(epoch(rule, which)).toEqual(epoch(rule, which));
    }
    expect(epoch(rule, 1)).not.toEqual(epoch(rule, 2));
    expect(epoch(rule, 0, 4)).not.toEqual(epoch(rule, 0, 3));
    // a run that resumes asks for a later batch first
    expect(rule(dataset, 2, 3).rowsOf(27)).toEqual(epoch(rule, 1).slice(14, 16));
  });
});

describe("orders", () => {
  it("shuffled is BatchOrder", () => {
    expect(epoch(shuffled, 0)).toEqual(
      Array.from({ length: 20 }, (_, i) => new BatchOrder(dataset, 2, 3).rowsOf(i)).flat(),
    );
  });

  it("lengthGrouped puts rows of like length together", () => {
    const spread = (rule: OrderRule): number => {
      const rows = epoch(rule, 0).map((row) => rowLengths(dataset)[row]!);
      return rows.reduce((sum, length, i) => (i % 2 === 0 ? sum : sum + Math.abs(length - rows[i - 1]!)), 0);
    };
    expect([...rowLengths(dataset)]).toEqual(lengths);
    expect(spread(lengthGrouped)).toBeLessThan(0.5 * spread(shuffled));
  });

  it("curriculum goes from easy to hard once, by length or by given scores", () => {
    const byLength = epoch(curriculum(), 0).map((row) => lengths[row]!);
    expect(byLength).toEqual([...byLength].sort((a, b) => a - b));
    const scores = all.map((row) => -row);
    expect(epoch(curriculum(scores), 0)).toEqual([...all].reverse());
    expect(epoch(curriculum(scores), 1)).toEqual(epoch(shuffled, 1));
    expect(() => curriculum([1, 2])(dataset, 2, 3)).toThrow(ConfigError);
  });

  it("rowScores are means over a row's tokens", () => {
    const packed = { ...dataset, time: 4, numRows: 2, segments: Int32Array.of(0, 0, 0, 1, 1, -1, -1, -1) };
    expect([...rowScores(packed, [2, 6])]).toEqual([3, 6]);
    expect([...documentLengths(packed)]).toEqual([3, 2]);
  });
});
