import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readPairs, type TextPair } from "./read-pairs.js";
import { pairBatches, splitPairs } from "./split-pairs.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-pairs-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function pairsOf(name: string, rows: readonly unknown[]) {
  const path = join(folder, name);
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return readPairs(path);
}

it("reads rows under their usual names, with a negative or several", async () => {
  const rows = [
    { query: "q", positive: "p", id: 7 },
    { anchor: "q", positive: "p", negative: "n" },
    { question: "q", answer: "p", negatives: ["n", "m"] },
    { sentence1: "q", sentence2: "p" },
  ];
  const { pairs } = await pairsOf("a.jsonl", rows);
  expect(pairs.map(({ query, positive }) => [query, positive])).toEqual(rows.map(() => ["q", "p"]));
  expect(pairs.map(({ negatives }) => negatives)).toEqual([[], ["n"], ["n", "m"], []]);
  expect(pairs[2]!.place).toEqual({ file: "a.jsonl", line: 3 });
});

it("takes a folder's validation file as held out, and refuses what holds no pairs", async () => {
  await mkdir(join(folder, "data"));
  await pairsOf("data/train.jsonl", [{ query: "q", positive: "p" }]);
  await pairsOf("data/validation.jsonl", [{ query: "v", positive: "w" }]);
  const read = await readPairs(join(folder, "data"));
  expect([read.pairs.map(({ query }) => query), read.heldOut.map(({ query }) => query)]).toEqual([["q"], ["v"]]);
  await writeFile(join(folder, "empty.jsonl"), "");
  await expect(readPairs(join(folder, "empty.jsonl"))).rejects.toThrow("there is no row");
  await writeFile(join(folder, "notes.txt"), "a");
  await expect(readPairs(join(folder, "notes.txt"))).rejects.toThrow("no JSON or JSONL file");
  await expect(pairsOf("n.jsonl", [{ query: "q", positive: "p", negative: ["n", 3] }])).rejects.toThrow(
    "n.jsonl:1: negative: expected a text or a list of texts, got a number",
  );
});

const pairs: readonly TextPair[] = Array.from({ length: 60 }, (_, i) => ({
  query: `query ${i}`,
  positive: `passage ${i % 20}`,
  negatives: [],
  place: { file: "f", line: i + 1 },
}));

it("holds passages out with all their queries, whatever the order of rows", () => {
  const { train, heldOut } = splitPairs(pairs, { share: 0.2, seed: 1 });
  expect([train.length, heldOut.length]).toEqual([48, 12]);
  const apart = new Set(heldOut.map(({ positive }) => positive));
  expect(train.some(({ positive }) => apart.has(positive))).toBe(false);
  const turned = splitPairs([...pairs].reverse(), { share: 0.2, seed: 1 });
  expect(new Set(turned.heldOut.map(({ positive }) => positive))).toEqual(apart);
});

it("makes batches without a text twice, the same for the same seed and epoch", () => {
  const batches = pairBatches(pairs, 8, 3, 0);
  expect(batches.length).toBeGreaterThan(4);
  for (const batch of batches) {
    expect(batch).toHaveLength(8);
    expect(new Set(batch.map((place) => pairs[place]!.positive)).size).toBe(8);
  }
  expect(new Set(batches.flat()).size).toBe(8 * batches.length);
  expect(pairBatches(pairs, 8, 3, 0)).toEqual(batches);
  expect(pairBatches(pairs, 8, 3, 1)).not.toEqual(batches);
  expect(() => pairBatches(pairs, 21, 3, 0)).toThrow("at most 20 of the 60 pairs");
});
