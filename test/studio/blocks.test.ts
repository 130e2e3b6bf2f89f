/** @file The blocks of a document's picture: with every chunker each character is in one of them, and cuts are where they are. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chunkers, estimatedTokens as counter } from "../../src/chunk/index.js";
import { blocksOf, leavesOf, lineCount, summaryOf } from "../../studio/src/views/documents/blocks.js";
import { treeOf } from "../../studio/src/views/documents/folder-tree.js";

const texts = {
  markdown: readFileSync(new URL("../../docs/guides/chunking.md", import.meta.url), "utf8"),
  code: readFileSync(new URL("../../src/chunk/packer.ts", import.meta.url), "utf8"),
  chinese: "# 气泵\n\n气泵在四十度时启动。九分钟后停止。\n\n".repeat(20),
  "a line without end": "word ".repeat(500),
};

describe.each(Object.entries(texts))("blocks of %s", (_name, text) => {
  it.each(Object.values(chunkers).map((chunker) => [chunker.name, chunker] as const))("by %s", (_chunker, chunker) => {
    const chunks = [...chunker.chunk(text, { counter, maxTokens: 40, overlapTokens: 12 })];
    const blocks = blocksOf(text, chunks);
    expect(blocks.map(({ start, next }) => text.slice(start, next)).join("")).toBe(text);
    expect(blocks.flatMap(({ chunk }) => chunk ?? [])).toEqual(chunks.map((_, i) => i));
    for (const { start, end, next, chunk, repeatedFrom } of blocks) {
      expect(start <= repeatedFrom && repeatedFrom <= end && end <= next).toBe(true);
      if (chunk === undefined) continue;
      expect(end).toBe(chunks[chunk]!.end);
      expect(text.slice(end, next).trim()).toBe("");
      // what the next chunk repeats is all of its text that was drawn before it
      const following = chunks[chunk + 1];
      expect(repeatedFrom).toBe(Math.min(end, Math.max(start, following?.start ?? end)));
    }
    const leaves = leavesOf(blocks);
    expect(leaves.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
    expect(leaves.flatMap((leaf) => leaf.blocks)).toEqual(blocks);
  });
});

it("marks a cut inside a line, and text that no chunk holds", () => {
  const chunk = (start: number, end: number) => ({ start, end, numTokens: 1, headingPath: [] });
  const blocks = blocksOf("one two\n\nthree <hidden> four", [chunk(0, 3), chunk(4, 7), chunk(9, 14), chunk(24, 28)]);
  expect(blocks.map(({ chunk: i, endsInLine }) => [i, endsInLine])).toEqual([
    [0, true],
    [1, false],
    [2, true],
    [undefined, false],
    [3, false],
  ]);
});

it("says how many chunks of which size there are", () => {
  const chunks = [
    { start: 0, end: 40, numTokens: 10, headingPath: [] },
    { start: 30, end: 70, numTokens: 10, headingPath: [] },
    { start: 70, end: 90, numTokens: 32, headingPath: [] },
  ];
  const summary = summaryOf(chunks, 32)!;
  expect(summary).toMatchObject({ numChunks: 3, least: 10, median: 10, most: 32, repeated: 0.1 });
  expect([summary.bars[5], summary.bars.at(-1), summary.bars.reduce((a, b) => a + b)]).toEqual([2, 1, 3]);
  expect(summaryOf([], 32)).toBeUndefined();
});

it("counts lines as they are wrapped, Chinese twice as wide", () => {
  expect(lineCount("", 10)).toBe(1);
  expect(lineCount("a\n\nb".repeat(2), 10)).toBe(5);
  expect(lineCount("0123456789a", 10)).toBe(2);
  expect(lineCount("气泵在四十度", 10)).toBe(2);
});

it("makes a tree of paths with sums of chunks", () => {
  const tree = treeOf([
    { path: "a/b/one.md", numChunks: 1 },
    { path: "a/two.md", numChunks: 2 },
    { path: "three.md", numChunks: 4 },
  ]);
  expect(tree).toMatchObject({ numChunks: 7, documents: [{ path: "three.md" }] });
  expect(tree.folders).toMatchObject([
    {
      name: "a",
      path: "a/",
      numChunks: 3,
      documents: [{ path: "a/two.md" }],
      folders: [{ path: "a/b/", numChunks: 1 }],
    },
  ]);
});
