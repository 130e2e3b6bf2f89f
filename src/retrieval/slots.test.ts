/** @file Which slots are free. */
import { describe, expect, it } from "vitest";
import { slotsPerBlock } from "./bm25.js";
import { SlotTable } from "./slots.js";

describe("SlotTable", () => {
  it("takes free slots from the lowest, over the edge of a block", () => {
    const lengths = new Uint32Array(slotsPerBlock).fill(9);
    lengths[3] = 0;
    lengths[slotsPerBlock - 1] = 0;
    const slots = new SlotTable(new Map([[0, lengths]]));
    expect([slots.take(5), slots.take(6), slots.take(7)]).toEqual([3, slotsPerBlock - 1, slotsPerBlock]);
    const changed = new Map(slots.changedBlocks());
    expect([...changed.keys()]).toEqual([0, 1]);
    expect([changed.get(0)![3], changed.get(1)![0], changed.get(1)![1]]).toEqual([5, 7, 0]);
  });

  it("takes freed slots again", () => {
    const slots = new SlotTable(new Map());
    for (let i = 0; i < 5; i++) expect(slots.take(1)).toBe(i);
    slots.free(3);
    slots.free(1);
    expect([slots.take(1), slots.take(1), slots.take(1)]).toEqual([1, 3, 5]);
  });

  it("never takes a chunk without words for a free slot", () => {
    const slots = new SlotTable(new Map());
    expect([slots.take(0), slots.take(0)]).toEqual([0, 1]);
  });
});
