/** @file Which sentences sum documents up. */
import { describe, expect, it } from "vitest";
import { keySentences, type SummaryDocument } from "./summary.js";

const document = (path: string, text: string): SummaryDocument => ({
  path,
  text,
  sections: [
    { start: 0, headingPath: ["Mill"] },
    { start: 90, headingPath: ["Mill", "Second"] },
  ],
  chunks: [{ start: 0 }, { start: 90, page: 2 }],
});

/** Says the same in other words all along, but for one thing. */
const mill = document(
  "mill.md",
  "The mill grinds the grain of the village into flour. The flour of the mill is ground from grain. " +
    "The village brings its grain to the mill for flour. Margaret Oduya inspects the millstones every February. " +
    "The grain becomes flour in the mill of the village.",
);
const bridge = document(
  "bridge.md",
  "The bridge carries the road over the river. The road crosses the river by the bridge. The river flows under the bridge and the road.",
);

const textsOf = (...documents: SummaryDocument[]): string[] => keySentences(documents, 3).map(({ text }) => text);

describe("key sentences", () => {
  it("are what a document alone says and what it opens with, spread over documents, with their places", () => {
    const quotes = keySentences([mill, bridge], 3);
    expect(quotes.map(({ text }) => text)).toContain("Margaret Oduya inspects the millstones every February.");
    expect(quotes.map(({ text }) => text)).toContain("The bridge carries the road over the river.");
    for (const { path, start, end, text } of quotes)
      expect((path === "mill.md" ? mill : bridge).text.slice(start, end)).toBe(text);
    const inspection = quotes.find(({ text }) => text.startsWith("Margaret"))!;
    expect(inspection).toMatchObject({ headingPath: ["Mill", "Second"], page: 2 });
    expect(quotes.find(({ start }) => start === 0)).toMatchObject({ headingPath: ["Mill"] });
    expect(new Set(keySentences([mill, bridge], 2).map(({ path }) => path)).size).toBe(2);
  });

  it("never say the same twice, and are as many as there are at most", () => {
    const twin = { ...bridge, path: "twin.md" };
    expect(new Set(textsOf(bridge, twin)).size).toBe(3);
    expect(keySentences([bridge, twin], 100)).toHaveLength(3);
    expect(keySentences([], 5)).toEqual([]);
    expect(keySentences([document("one.md", "A single sentence is what there is.")], 5)).toHaveLength(1);
  });

  it("are those about a topic, in the passages that were found for it", () => {
    const passages = [mill, bridge].map(({ path, text }) => ({
      chunk: { path, start: 0, text, headingPath: [] },
      score: 1,
    }));
    const about = (topic: string, some = passages): string[] =>
      keySentences([mill, bridge], 2, { topic, passages: some }).map(({ text }) => text);
    expect(about("the inspection of millstones")[0]).toContain("millstones");
    expect(about("the river", passages.slice(0, 1))).toEqual([]);
    expect(about("the river")).toHaveLength(2);
    expect(about("quarks")).toEqual([]);
  });
});
