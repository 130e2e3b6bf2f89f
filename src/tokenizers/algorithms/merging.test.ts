import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { MinHeap } from "./min-heap.js";
import { PairMerger } from "./pair-merger.js";
import { PairTable } from "./pair-table.js";

/** Merges that make tokens of tokens, as training does. */
function randomMerges(rng: Rng, numSymbols: number, numMerges: number): [number, number][] {
  const seen = new Set<string>();
  const merges: [number, number][] = [];
  while (merges.length < numMerges) {
    const pair: [number, number] = [rng.below(numSymbols + merges.length), rng.below(numSymbols + merges.length)];
    if (!seen.has(pair.join())) merges.push(pair);
    seen.add(pair.join());
  }
  return merges;
}

function tableOf(merges: readonly [number, number][], numSymbols: number): PairTable {
  const table = new PairTable(merges.length);
  merges.forEach(([left, right], rank) => {
    table.set(left, right, rank, numSymbols + rank);
  });
  return table;
}

/** The definition: again and again, the leftmost of the earliest pairs. */
function mergeNaively(symbols: number[], merges: readonly [number, number][], numSymbols: number): number[] {
  for (;;) {
    const ranks = symbols
      .slice(0, -1)
      .map((left, i) => merges.findIndex((pair) => pair[0] === left && pair[1] === symbols[i + 1]));
    const best = Math.min(...ranks.filter((rank) => rank >= 0));
    if (best === Number.POSITIVE_INFINITY) return symbols;
    symbols.splice(ranks.indexOf(best), 2, numSymbols + best);
  }
}

describe("PairMerger", () => {
  it.each([10, 48, 49, 300])("merges words of up to %d symbols by definition", (length) => {
    const rng = new Rng(length);
    for (let round = 0; round < 60; round++) {
      const merges = randomMerges(rng, 3, 40);
      const word = Array.from({ length: rng.below(length + 1) }, () => rng.below(3));
      const symbols = Int32Array.from(word);
      const count = new PairMerger(tableOf(merges, 3)).merge(symbols, symbols.length);
      expect(Array.from(symbols.subarray(0, count))).toEqual(mergeNaively(word, merges, 3));
    }
  });

  it("merges the leftmost first among pairs of equal rank", () => {
    const table = new PairTable(2);
    table.set(0, 1, 7, 10);
    table.set(1, 0, 7, 11);
    const symbols = Int32Array.of(0, 1, 0, 1, 0);
    const count = new PairMerger(table).merge(symbols, 5);
    expect(Array.from(symbols.subarray(0, count))).toEqual([10, 10, 0]);
  });
});

describe("PairTable", () => {
  it("grows, keeps the later of two values and lists pairs by rank", () => {
    const table = new PairTable(1);
    for (let i = 0; i < 1000; i++) table.set(i, i * 7, 1000 - i, i);
    table.set(5, 35, 5000, 99);
    expect(table.product(table.find(999, 6993))).toBe(999);
    expect(table.product(table.find(5, 35))).toBe(99);
    expect(table.find(1, 8)).toBe(-1);
    expect(table.byRank().slice(0, 2)).toEqual([
      [999, 6993],
      [998, 6986],
    ]);
    expect(table.byRank().at(-1)).toEqual([5, 35]);
    expect(table.byRank()).toHaveLength(1000);
  });
});

describe("MinHeap", () => {
  it("gives numbers in order", () => {
    const rng = new Rng(1);
    const heap = new MinHeap(0);
    const keys = Array.from({ length: 500 }, () => rng.below(200));
    for (const key of keys) heap.push(key);
    expect(keys.map(() => heap.pop())).toEqual(keys.sort((a, b) => a - b));
    expect(heap.size).toBe(0);
  });
});
