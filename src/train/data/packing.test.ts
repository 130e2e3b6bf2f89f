import { describe, expect, it } from "vitest";
import { BatchOrder, batchOf, countTargets, packDocuments } from "./packing.js";

const documents = [
  { ids: Int32Array.of(1, 2, 3, 4, 5, 6) },
  { ids: Int32Array.of(7) },
  { ids: Int32Array.of(8, 9, 10), targets: Uint8Array.of(0, 0, 1) },
];

describe("packDocuments", () => {
  const packed = packDocuments(documents, 4);

  it("lays documents end to end, each position predicting the next token of its own document", () => {
    expect(packed.numRows).toBe(2);
    expect([...packed.ids]).toEqual([1, 2, 3, 4, 5, 8, 9, 0]);
    expect([...packed.labels]).toEqual([2, 3, 4, 5, 6, 9, 10, 0]);
    expect([...packed.weights]).toEqual([1, 1, 1, 1, 1, 0, 1, 0]);
    expect(packed.numTokens).toBe(6);
  });

  it("starts positions anew in each row and each document, and keeps documents apart", () => {
    expect([...packed.positions]).toEqual([0, 1, 2, 3, 0, 0, 1, 0]);
    expect([...packed.segments]).toEqual([0, 0, 0, 0, 0, 1, 1, -1]);
  });

  it("says so when there is nothing to learn", () => {
    expect(() => packDocuments([{ ids: Int32Array.of(1) }], 4)).toThrow("fewer than two tokens");
  });

  it("makes batches with scaled weights and empty rows beyond the end", () => {
    const batch = batchOf(packed, [1, 2], 0.5);
    expect([...batch.ids]).toEqual([5, 8, 9, 0, 0, 0, 0, 0]);
    expect([...batch.weights]).toEqual([0.5, 0, 0.5, 0, 0, 0, 0, 0]);
    expect(countTargets(packed, [0, 1, 2])).toBe(6);
  });
});

describe("BatchOrder", () => {
  it("visits every row once per epoch, in an order that depends on seed and epoch alone", () => {
    const dataset = packDocuments([{ ids: Int32Array.from({ length: 41 }, (_, i) => i) }], 4);
    const take = (order: BatchOrder, from: number): number[] => [0, 1, 2, 3, 4].flatMap((i) => order.rowsOf(from + i));
    const order = new BatchOrder(dataset, 2, 3);
    const [first, second] = [take(order, 0), take(order, 5)];
    expect([...first].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...second].sort((a, b) => a - b)).toEqual([...first].sort((a, b) => a - b));
    expect(second).not.toEqual(first);
    // a run that resumes asks for a later batch first
    expect(new BatchOrder(dataset, 2, 3).rowsOf(7)).toEqual(order.rowsOf(7));
  });
});
