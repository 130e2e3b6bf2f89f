/** @file Measures of retrieval, by hand. */
import { describe, expect, it } from "vitest";
import { bestPrecision, type DocumentSpan, ndcgAt, recallAt, reciprocalRank, spanOverlap } from "./index.js";

const span = (start: number, end: number, document = "a"): DocumentSpan => ({ document, start, end });

describe("spanOverlap", () => {
  it("compares passages with references", () => {
    // 10 + 5 of 30 wanted; 40 + 20 retrieved
    const scores = spanOverlap([span(0, 10), span(50, 70)], [span(0, 40), span(65, 85)]);
    expect(scores).toEqual({ recall: 0.5, precision: 0.25, iou: 15 / 75 });
  });

  it("counts repeated text once where it is right, and each time in what was retrieved", () => {
    expect(spanOverlap([span(0, 10)], [span(0, 10), span(0, 10)])).toEqual({ recall: 1, precision: 0.5, iou: 0.5 });
    expect(spanOverlap([span(0, 10), span(5, 15)], [span(0, 15)])).toEqual({ recall: 1, precision: 1, iou: 1 });
  });

  it("takes the same places of another document for something else, and nothing for 0", () => {
    expect(spanOverlap([span(0, 10)], [span(0, 10, "b")])).toEqual({ recall: 0, precision: 0, iou: 0 });
    expect(spanOverlap([span(0, 10)], [])).toEqual({ recall: 0, precision: 0, iou: 0 });
    expect(spanOverlap([span(0, 10)], [span(10, 20)]).recall).toBe(0);
  });

  it("measures by tokens where a count of them is given", () => {
    const words = (text: string) => (at: DocumentSpan) =>
      text.slice(at.start, at.end).split(/\s+/).filter(Boolean).length;
    const scores = spanOverlap([span(0, 7)], [span(0, 14)], words("one two thirtee n"));
    expect(scores.recall).toBe(1);
    expect(scores.precision).toBeCloseTo(2 / 3, 12);
  });
});

describe("bestPrecision", () => {
  it("retrieves what holds anything of the references, and nothing else", () => {
    const chunks = [span(0, 20), span(20, 40), span(40, 60)];
    expect(bestPrecision([span(15, 25)], chunks)).toBe(10 / 40);
    expect(bestPrecision([span(20, 40)], chunks)).toBe(1);
    expect(bestPrecision([span(70, 80)], chunks)).toBe(0);
  });
});

describe("rankings", () => {
  const ranking = [false, true, false, true, true];

  it("have recall at k", () => {
    expect(recallAt(1, ranking, 4)).toBe(0);
    expect(recallAt(4, ranking, 4)).toBe(0.5);
    expect(recallAt(5, ranking, 0)).toBe(0);
  });

  it("have the reciprocal of the first right rank", () => {
    expect(reciprocalRank(ranking)).toBe(0.5);
    expect(reciprocalRank([false])).toBe(0);
  });

  it("have a discounted gain between 0 and the best order's 1", () => {
    expect(ndcgAt(5, [3, 2, 1], [1, 2, 3])).toBe(1);
    // (0 + 1 / log2 3 + 0) / (1 + 1 / log2 3)
    expect(ndcgAt(3, [0, 1, 0], [1, 1, 0])).toBeCloseTo(0.63093 / 1.63093, 4);
    expect(ndcgAt(3, [0], [0])).toBe(0);
  });
});
