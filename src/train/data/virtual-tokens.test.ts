import { describe, expect, it } from "vitest";
import { packWithVirtualTokens } from "./virtual-tokens.js";

const counting = (first: number, count: number) => ({ ids: Int32Array.from({ length: count }, (_, i) => first + i) });

describe("packWithVirtualTokens", () => {
  const documents = [counting(1, 9), counting(50, 3), { ids: Int32Array.of(90) }, counting(70, 14)];
  const packed = packWithVirtualTokens(documents, 8, 2);
  const { ids, labels, weights, positions, segments, numRows } = packed;

  it("begins every part of a document with placeholders at positions 0 and 1", () => {
    for (let at = 0; at < numRows * 8; at++) {
      const isStart = at % 8 === 0 || segments[at] !== segments[at - 1];
      if (isStart) expect(positions[at]).toBe(0);
      if (weights[at]! > 0 && positions[at]! >= 2) expect(labels[at]).toBe(ids[at]! + 1);
      if (positions[at]! < 2) expect(ids[at]).toBe(0);
    }
  });

  it("learns every token once, the first ones too, and packs no more than it must", () => {
    const learned = Array.from(labels).filter((_, at) => weights[at]! > 0);
    const expected = [counting(1, 9), counting(50, 3), counting(70, 14)].flatMap((document) => [...document.ids]);
    expect(learned).toEqual(expected);
    expect(packed.numTokens).toBe(expected.length);
  });

  it("respects targets, and is plain packing without virtual tokens", () => {
    const document = { ids: Int32Array.of(5, 6, 7), targets: Uint8Array.of(0, 0, 1) };
    const one = packWithVirtualTokens([document], 8, 2);
    expect(Array.from(one.labels).filter((_, at) => one.weights[at]! > 0)).toEqual([7]);
    expect(packWithVirtualTokens([counting(1, 4)], 8, 0).ids.slice(0, 3)).toEqual(Int32Array.of(1, 2, 3));
    expect(() => packWithVirtualTokens([document], 2, 2)).toThrow("no place for text");
  });
});
