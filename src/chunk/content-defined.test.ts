/** @file How few chunks an edit changes. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import type { ChunkerDef, TokenCounter } from "./chunk.js";
import { contentDefined } from "./content-defined.js";
import { fixed } from "./fixed.js";

const counter: TokenCounter = {
  count: (text, start = 0, end = text.length) => text.slice(start, end).match(/\w+|[^\w\s]/g)?.length ?? 0,
  addsUpAt: (text, index) => /\s/.test(text.charAt(index)),
};
const maxTokens = 128;

/** Share of the chunks of a text in its second version that the first has not. */
function changed(chunker: ChunkerDef, before: string, after: string): number {
  const known = new Set([...chunker.chunk(before, { counter, maxTokens })].map(({ text }) => text));
  const chunks = [...chunker.chunk(after, { counter, maxTokens })];
  return chunks.filter(({ text }) => !known.has(text)).length / chunks.length;
}

/** A text in which one part in a hundred, at some places, was replaced, inserted or deleted. */
function edited(text: string, numPlaces: number, seed: number): string {
  const rng = new Rng(seed);
  const size = Math.floor(text.length / 100 / numPlaces);
  let result = text;
  for (let i = 0; i < numPlaces; i++) {
    const at = rng.below(result.length - size);
    const from = rng.below(text.length - size);
    const inserted = i % 3 === 2 ? "" : text.slice(from, from + size).toUpperCase();
    result = result.slice(0, at) + inserted + result.slice(at + (i % 3 === 1 ? 0 : size));
  }
  return result;
}

const folder = new URL("../../../shared/data/data-chunking-eval/corpora/", import.meta.url);
const hasCorpora = existsSync(folder);

describe("content-defined", () => {
  const rng = new Rng(5);
  const sentence = (): string =>
    `So ${Array.from({ length: 4 + rng.below(20) }, () => `w${rng.below(500)}`).join(" ")}.`;
  // no headings, no paragraphs: nothing but the words to fall into step by
  const prose = Array.from({ length: 8000 }, sentence).join(" ");

  it("changes few chunks of text without structure, where fixed sizes change most", () => {
    const after = edited(prose, 3, 1);
    expect(changed(contentDefined, prose, after)).toBeLessThan(0.03);
    expect(changed(fixed, prose, after)).toBeGreaterThan(0.3);
  });

  it("makes no chunk smaller than a quarter of the limit but the last", () => {
    const sizes = [...contentDefined.chunk(prose, { counter, maxTokens })].map(({ numTokens }) => numTokens);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(maxTokens / 4);
  });

  it.skipIf(!hasCorpora).each([
    ["wikitexts", 5],
    ["pubmed", 20],
    ["finance", 20],
  ])(
    "changes less than a twentieth of the chunks of %s when a hundredth of its text is edited in %i places",
    (name, places) => {
      const text = readFileSync(new URL(`${name}.md`, folder), "utf8");
      for (const seed of [1, 2, 3])
        expect(changed(contentDefined, text, edited(text, places, seed))).toBeLessThan(0.05);
    },
  );
});
