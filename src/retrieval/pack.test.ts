/** @file Packing against its promises: the budget, the way back to the source, nothing twice. */
import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../base/errors.js";
import { Rng } from "../base/rng.js";
import type { TokenCounter } from "../chunk/chunk.js";
import { type PackOptions, packContext, type packOrders, type ScoredChunk } from "./pack.js";

/** Counts words and the spaces before them as one, punctuation alone: sums over parts differ from the whole. */
const counter: TokenCounter = {
  count: (text, start, end) => text.slice(start, end).match(/\s*\w+|\s*\S/g)?.length ?? 0,
};

const source = "Alpha one two. Beta three four.  \n Gamma five six. Delta 数据 seven.";

function passage(start: number, end: number, score: number, more: Partial<ScoredChunk["chunk"]> = {}): ScoredChunk {
  const text = source.slice(start, end);
  const place = { start, end, text, headingPath: [], numTokens: counter.count(text) };
  return { score, chunk: { id: `${start}-${end}`, path: "a.md", documentHash: "h", ...place, ...more } };
}

const alone = { budget: 1000, counter, label: () => "" } satisfies PackOptions;

describe("packContext", () => {
  it("joins what overlaps or touches, and what white space divides when it has the source", async () => {
    const passages = [passage(49, 66, 3), passage(0, 14, 2), passage(10, 31, 1)];
    const packed = await packContext(passages, alone);
    expect(packed.spans).toMatchObject([
      { number: 1, start: 49, end: 66, chunkIds: ["49-66"], score: 3 },
      { number: 2, start: 0, end: 31, chunkIds: ["0-14", "10-31"], score: 2, text: source.slice(0, 31) },
    ]);
    const across = [passage(15, 31, 1), passage(35, 50, 2)];
    expect((await packContext(across, alone)).spans).toHaveLength(2);
    const joined = await packContext(across, { ...alone, source: () => source });
    expect(joined.spans).toMatchObject([{ start: 15, end: 50, text: source.slice(15, 50), score: 2 }]);
    expect(joined.text).toBe(source.slice(15, 50));
  });

  it("shows parents where they fit, and the passage itself where they do not", async () => {
    const child = passage(15, 31, 1, { parent: { start: 0, end: 31 }, page: 2 });
    const wide = await packContext([child], { ...alone, source: async () => source });
    expect(wide.spans).toMatchObject([{ start: 0, end: 31, page: 2, chunkIds: ["15-31"] }]);
    const narrow = await packContext([child], { ...alone, budget: 4, source: () => source });
    expect(narrow).toMatchObject({ spans: [{ start: 15, end: 31 }], numTokens: 4, omitted: [] });
    const tight = await packContext([child], { ...alone, budget: 3, source: () => source });
    expect(tight).toEqual({ text: "", spans: [], numTokens: 0, omitted: ["15-31"] });
    expect((await packContext([child], alone)).spans).toMatchObject([{ start: 15, end: 31 }]);
  });

  it("labels spans by number, place and heading, and counts the labels", async () => {
    const passages = [passage(0, 14, 2, { headingPath: ["Top", "In"], page: 4 }), passage(35, 50, 1)];
    const packed = await packContext(passages, { budget: 1000, counter });
    expect(packed.text).toBe("[1] a.md, page 4: Top › In\nAlpha one two.\n\n[2] a.md\nGamma five six.");
    expect(packed.numTokens).toBe(counter.count(packed.text));
  });

  it("orders spans as asked", async () => {
    const passages = [0, 10, 20, 30, 40].map((start, i) => passage(start, start + 5, 5 - i));
    const starts = async (order: keyof typeof packOrders) =>
      (await packContext(passages, { ...alone, order })).spans.map(({ start }) => start);
    expect(await starts("best-first")).toEqual([0, 10, 20, 30, 40]);
    expect(await starts("edges")).toEqual([0, 20, 40, 30, 10]);
    const other = passage(0, 4, 9, { path: "b.md", id: "b" });
    const inPlace = await packContext([passage(40, 45, 9), other, ...passages.slice(0, 4)], {
      ...alone,
      order: "document",
    });
    expect(inPlace.spans.map(({ path, start }) => `${path} ${start}`)).toEqual([
      "a.md 0",
      "a.md 10",
      "a.md 20",
      "a.md 30",
      "a.md 40",
      "b.md 0",
    ]);
  });

  it("refuses budgets that are none and documents that are others by now", async () => {
    for (const budget of [0, -1, 1.5, Number.NaN]) {
      await expect(packContext([], { ...alone, budget })).rejects.toThrow(ConfigError);
    }
    const changed = { ...alone, source: () => source.replace("Alpha", "Omega") };
    await expect(packContext([passage(0, 14, 1)], changed)).rejects.toThrow(DataError);
    await expect(packContext([passage(0, 14, 1)], { ...alone, source: () => undefined })).rejects.toThrow(
      /no such document/,
    );
  });

  it("keeps its promises for random passages, budgets and orders", async () => {
    const rng = new Rng(12);
    const alphabet = ["word", " ", "  ", "\n", ".", "数", "😀", "x"];
    for (let n = 0; n < 1500; n++) {
      const texts = new Map(
        ["a", "b"].map((path) => [path, Array.from({ length: 60 }, () => alphabet[rng.below(8)]!).join("")]),
      );
      const passages = Array.from({ length: rng.below(12) }, (_, i): ScoredChunk => {
        const path = rng.below(2) === 0 ? "a" : "b";
        const text = texts.get(path)!;
        const start = rng.below(text.length);
        const end = start + 1 + rng.below(Math.min(30, text.length - start));
        const parent = { start: rng.below(start + 1), end: end + rng.below(text.length - end + 1) };
        const chunk = { start, end, text: text.slice(start, end), headingPath: ["H"], numTokens: 1 };
        return {
          score: 20 - i,
          chunk: { ...chunk, id: `${i}`, path, documentHash: path, ...(rng.below(2) === 0 && { parent }) },
        };
      });
      const order = (["best-first", "edges", "document"] as const)[rng.below(3)]!;
      const budget = 1 + rng.below(80);
      const withSource = rng.below(2) === 0 && { source: (path: string) => texts.get(path) };
      const packed = await packContext(passages, { budget, counter, order, ...withSource });
      expect(packed.numTokens).toBe(counter.count(packed.text));
      expect(packed.numTokens).toBeLessThanOrEqual(budget);
      const ids = [...packed.spans.flatMap(({ chunkIds }) => chunkIds), ...packed.omitted];
      expect(ids.sort()).toEqual(passages.map(({ chunk }) => chunk.id).sort());
      for (const [i, span] of packed.spans.entries()) {
        expect(span.number).toBe(i + 1);
        expect(packed.text.slice(span.at.start, span.at.end)).toBe(span.text);
        expect(texts.get(span.path)!.slice(span.start, span.end)).toBe(span.text);
        for (const other of packed.spans.slice(i + 1)) {
          const isApart = other.path !== span.path || other.start > span.end || other.end < span.start;
          expect(isApart).toBe(true);
        }
        for (const id of span.chunkIds) {
          const { chunk } = passages.find((of) => of.chunk.id === id)!;
          expect(span.start <= chunk.start && chunk.end <= span.end).toBe(true);
        }
      }
    }
  });
});
