/** @file An index with metadata, a compound question, and a packed prompt: `npx tsx examples/retrieve.ts`. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunkers } from "tessera-llm/chunk";
import { openStore, retrieve, splitQuestion, syncIndex } from "tessera-llm/retrieval";

const documents = [
  {
    path: "garden/apples.md",
    text: "# Apples\n\nPrune apple trees in late winter, before the buds open.\n\nPick the fruit in autumn.",
    metadata: { topic: "garden", year: 2021 },
  },
  {
    path: "garden/soil.md",
    text: "# Soil\n\nCompost feeds the soil. Dig it in before you plant trees.",
    metadata: { topic: "garden", year: 2024 },
  },
  {
    path: "kitchen/cider.md",
    text: "# Cider\n\nPress the apples, then let the juice ferment for two weeks at 18 degrees.",
    metadata: { topic: "kitchen", year: 2024 },
  },
  {
    path: "厨房/苹果.md",
    text: "# 苹果酒\n\n苹果榨汁以后，在十八度发酵两周。",
    metadata: { topic: "kitchen", year: 2023 },
  },
];

const folder = await mkdtemp(join(tmpdir(), "tessera-"));
const store = await openStore(folder);
const counter = { count: (text: string, start = 0, end = text.length) => Math.ceil((end - start) / 4) };
await syncIndex(
  store,
  documents.map((document) => ({ ...document, hash: document.text })),
  { chunk: ({ text }) => chunkers.recursive.chunk(text, { counter, maxTokens: 30, format: "markdown" }) },
);

const { passages, packed } = await retrieve("When do I prune apple trees, and how long does cider ferment?", {
  store,
  filter: { year: { $gte: 2021 }, $not: { topic: "politics" } },
  rewrite: splitQuestion,
  mmr: { lambda: 0.8 },
  limit: 3,
  pack: { budget: 60, counter, source: (path) => documents.find((document) => document.path === path)?.text },
});
for (const { chunk, score, trace } of passages) {
  const found = trace.found.map(({ by, rank }) => `${by} ${rank}`).join(", ");
  console.log(`${chunk.path} ${chunk.start}-${chunk.end}: ${score.toFixed(2)} (${found})`);
}
console.log(`\n${packed?.text}\n\n${packed?.numTokens} tokens`);

const [chinese] = await store.query({ text: "发酵多久", limit: 1 });
console.log(`\n${chinese?.chunk.path}: ${chinese?.chunk.text.split("\n").at(-1)}`);

await store.close();
await rm(folder, { recursive: true });
