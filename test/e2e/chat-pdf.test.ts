/** @file Twenty questions to a PDF of the project's own decisions: the page that the best passage cites holds the answer. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Document, pageAt, scanFolder } from "../../src/documents/index.js";
import { chunkDocument } from "../../src/pipeline/chunk-document.js";
import { type Store, stores, syncIndex } from "../../src/retrieval/index.js";
import { sentences, words } from "../../src/text/index.js";
import { pdfFile } from "../support/pdf.js";
import { type SetPage, typeset } from "../support/typeset.js";

const DECISIONS = [
  "001-dependencies",
  "002-embedded-index",
  "003-layout",
  "004-tuning-methods",
  "005-frozen-weights",
  "006-adapters-per-request",
  "007-ai-sdk",
  "008-engine-process",
  "009-memory-in-files",
  "010-training-algorithms",
  "011-generation-while-training",
  "012-webgpu",
];

/** Questions, and words of the sentence that answers each, or of several that do. */
const QUESTIONS = [
  ["Which SQLite package is used before Node 24?", "same interface, prebuilt", "on Node 20 and 22, node:sqlite"],
  ["How are vectors scanned in the embedded index?", "Vectors are scanned as one bit per dimension"],
  ["Why can a DoRA adapter not be unmerged?", "merged rows do not say how long the base's were"],
  ["What does the child process do on SIGINT and SIGTERM?", "The child ignores SIGINT and SIGTERM"],
  ["How many pieces may be sent ahead of a slow reader?", "may send 256 pieces ahead"],
  ["What happens to running requests when their adapter is removed?", "Requests that have it go on to their end"],
  ["Do adapters share the prefix cache with the base?", "adapters share nothing with each other or the base"],
  ["Does memory in mapped files work on Windows?", "Windows has no mmap and is refused"],
  ["Why have mapped files no name?", "nothing is left behind by a process that is killed"],
  ["Which major version of ai is the last that runs on Node 20?", "is the last major that runs on Node 20"],
  ["Why are scales quantised twice?", "Scales are quantised twice"],
  ["Why does biome stay on an old line?", "biome stays on the last line"],
  ["Why was commander chosen for the CLI?", "unknown options fail"],
  ["How is the one arena of all sessions registered?", "All sessions share one arena"],
  ["How long does binding a program's buffers take?", "Binding a program's buffers costs"],
  ["Where does MeZO's noise come from?", "Noise comes from a ziggurat"],
  ["Which optimiser do LOMO and MeZO take?", "LOMO and MeZO take plain SGD only"],
  ["How many texts are written at once while a model is trained?", "Up to eight texts are written at once"],
  ["Where do WebGPU tests run that are otherwise skipped?", "Tests run where an adapter opens"],
  ["Which madvise call makes pages leave RAM?", "MADV_DONTNEED"],
] as const;

let folder: string;
let pages: SetPage[];
let document: Document;
let store: Store;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat-pdf-"));
  const texts = DECISIONS.map((name) => readFile(new URL(`../../docs/decisions/${name}.md`, import.meta.url), "utf8"));
  pages = typeset((await Promise.all(texts)).join("\n\n"), "Decisions of Tessera");
  await writeFile(join(folder, "decisions.pdf"), pdfFile(pages));
  for await (const entry of scanFolder(folder)) if (entry.kind === "document") document = entry;
  store = await stores.sqlite.open(join(folder, "index"));
  const counter = { count: (text: string, start = 0, end = text.length) => Math.ceil((end - start) / 4) };
  await syncIndex(store, [document], {
    chunk: () => chunkDocument(document, { counter, maxTokens: 256, overlapTokens: 32 }),
  });
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

/** Pages on which words stand as they were set, and on which their sentence begins. */
function pagesWith(evidence: string): number[] {
  const text = pages.map(({ plain }) => plain).join(" ");
  const at = text.indexOf(evidence);
  if (at < 0) return [];
  const ends = pages.map((_, i) => pages.slice(0, i + 1).reduce((sum, { plain }) => sum + plain.length + 1, 0));
  return [at, text.lastIndexOf(". ", at) + 2].map((place) => ends.findIndex((end) => place < end) + 1);
}

/** The sentence of a passage that shares most words with the question, as `ask` would quote it; where it begins. */
function quoteAt(question: string, passage: { readonly text: string; readonly start: number }): number {
  const asked = new Set(wordsOf(question));
  const scored = [...sentences(passage.text)].map(({ start, end }) => {
    const found = new Set(wordsOf(passage.text.slice(start, end)).filter((word) => asked.has(word)));
    return { start, score: found.size };
  });
  return passage.start + scored.reduce((best, one) => (one.score > best.score ? one : best)).start;
}

function wordsOf(text: string): string[] {
  return [...words(text)].map(({ start, end }) => text.slice(start, end).toLowerCase());
}

it("keeps all pages, and nothing of what runs through them", () => {
  expect(pages.length).toBeGreaterThanOrEqual(10);
  expect(document.pageStarts).toHaveLength(pages.length);
  expect(document.text).not.toMatch(/Decisions of Tessera|\d+ of \d+$/m);
  let found = 0;
  for (const [i, { plain }] of pages.entries()) {
    const phrase = plain.split(" ").slice(10, 16).join(" ");
    if (!document.text.includes(phrase)) continue; // marks of lists and tables stand in between
    found++;
    expect(pageAt(document, document.text.indexOf(phrase))).toBe(i + 1);
  }
  expect(found).toBeGreaterThan(pages.length / 2);
});

it("cites the right page for every question", async () => {
  const wrong: string[] = [];
  for (const [question, ...evidence] of QUESTIONS) {
    const right = evidence.flatMap(pagesWith);
    expect(right, question).not.toEqual([]);
    const [hit] = await store.query({ text: question, limit: 1 });
    const cited = pageAt(document, quoteAt(question, hit!.chunk))!;
    expect(hit!.chunk.page).toBe(pageAt(document, hit!.chunk.start));
    if (!right.includes(cited)) wrong.push(`${question} cites page ${cited}, not ${right.join(" or ")}`);
  }
  expect(wrong).toEqual([]);
});
