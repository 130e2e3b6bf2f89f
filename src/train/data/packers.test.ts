import { describe, expect, it } from "vitest";
import { DataError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { packBestFit } from "./best-fit.js";
import { describePacking, packers } from "./packers.js";
import type { PackedDataset, TokenDocument } from "./packing.js";
import { padDocuments } from "./padded.js";

/** Documents whose ids say which document and which place they are of. */
function randomDocuments(rng: Rng, count: number, longest: number): TokenDocument[] {
  return Array.from({ length: count }, (_, document) => {
    const ids = Int32Array.from({ length: 2 + rng.below(longest - 1) }, (_, i) => 1000 * document + i);
    return rng.below(2) === 0 ? { ids } : { ids, targets: Uint8Array.from(ids, (id) => id % 2) };
  });
}

const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

/** Every prediction that a data set asks for, as id and label. */
function predictions({ ids, labels, segments, weights }: PackedDataset): { pairs: string[]; learned: string[] } {
  const at = [...segments.keys()].filter((i) => segments[i]! >= 0);
  const pair = (i: number): string => `${ids[i]}>${labels[i]}`;
  return {
    pairs: at.map(pair).sort(),
    learned: at
      .filter((i) => weights[i] === 1)
      .map(pair)
      .sort(),
  };
}

function expected(documents: readonly TokenDocument[]): { pairs: string[]; learned: string[] } {
  const all = documents.flatMap(({ ids, targets }) =>
    Array.from(ids.subarray(1), (id, i) => ({ pair: `${ids[i]}>${id}`, isLearned: (targets?.[i + 1] ?? 1) === 1 })),
  );
  const pairs = (of: typeof all): string[] => of.map(({ pair }) => pair).sort();
  return { pairs: pairs(all), learned: pairs(all.filter(({ isLearned }) => isLearned)) };
}

describe.each(Object.entries(packers))("%s", (name, pack) => {
  it("asks for every prediction within a document once, on random documents", () => {
    const rng = new Rng(1);
    for (let round = 0; round < 30; round++) {
      const time = 4 + rng.below(30);
      const documents = randomDocuments(rng, 1 + rng.below(40), name === "padded" ? time + 1 : 3 * time);
      const packed = pack(documents, time);
      expect(predictions(packed)).toEqual(expected(documents));
      expect(packed.numTokens).toBe(expected(documents).learned.length);
      expect(packed.ids).toHaveLength(packed.numRows * time);
    }
  });

  it("starts positions anew where another document or another row begins", () => {
    const { ids, positions, segments, time } = pack(randomDocuments(new Rng(2), 30, 9), 8);
    for (const [i, segment] of segments.entries()) {
      if (segment < 0) continue;
      const continues = i % time > 0 && segments[i - 1] === segment;
      expect(positions[i]).toBe(continues ? positions[i - 1]! + 1 : 0);
      if (continues) expect(ids[i]).toBe(ids[i - 1]! + 1);
    }
  });

  it("says so when there is nothing to learn", () => {
    expect(() => pack([{ ids: Int32Array.of(1) }], 4)).toThrow(DataError);
  });
});

describe("packBestFit", () => {
  const ofLengths = (...lengths: number[]): TokenDocument[] =>
    lengths.map((length, document) => ({ ids: new Int32Array(length + 1).fill(document) }));

  it("cuts no document that fits a row, and puts each where it fits best", () => {
    const packed = packBestFit(ofLengths(3, 7, 5, 2, 10, 3), 10);
    const rows = Array.from({ length: packed.numRows }, (_, row) =>
      sorted(new Set(packed.segments.subarray(row * 10, row * 10 + 10))),
    );
    // 10; 7 and 3; 5 and 3 and 2
    expect(rows).toEqual([[4], [0, 1], [2, 3, 5]]);
    expect(describePacking(packed)).toEqual({ numRows: 3, utilisation: 1, numDocuments: 6, numCut: 0 });
  });

  it("cuts only what is longer than a row", () => {
    const packed = packBestFit(ofLengths(25, 4, 5), 10);
    expect(describePacking(packed)).toEqual({ numRows: 4, utilisation: 34 / 40, numDocuments: 3, numCut: 1 });
  });

  it("needs hardly more rows than cutting everywhere, on lengths as chats have them", () => {
    const rng = new Rng(4);
    const lengths = Array.from({ length: 3000 }, () => Math.min(512, Math.round(Math.exp(4.5 + rng.normal()))));
    const documents = ofLengths(...lengths.filter((length) => length > 0));
    const [cut, whole] = [packers["end-to-end"](documents, 512), packBestFit(documents, 512)].map(describePacking);
    expect(cut!.numCut).toBeGreaterThan(500);
    expect(whole!.numCut).toBe(0);
    expect(whole!.utilisation).toBeGreaterThan(0.99);
    expect(describePacking(padDocuments(documents, 512)).utilisation).toBeLessThan(0.35);
  });
});

it("padDocuments refuses what is longer than a row", () => {
  expect(() => padDocuments([{ ids: new Int32Array(6) }, { ids: new Int32Array(7) }], 5)).toThrow(
    /document 1 has 7 tokens, a row of 5 positions holds 6/,
  );
});
