/** @file Labelled questions from files and documents, scores by hand, and the search for the best way to cut. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DataError } from "../../base/errors.js";
import { estimatedTokens as counter } from "../../chunk/index.js";
import type { Document } from "../../documents/index.js";
import {
  evaluateChunking,
  makeQuestions,
  type PlacedChunk,
  readQuestions,
  scoreRetrieval,
  searchChunking,
  usualTrials,
} from "./index.js";

const document = (path: string, text: string, mediaType = "text/markdown"): Document => ({
  kind: "document",
  path,
  text,
  hash: "",
  numBytes: text.length,
  mediaType,
});
const bees = document(
  "bees.md",
  "# Bees\n\nBees gather nectar from flowers in the morning and carry it home to the hive.\n\n## Honey\n\nHoney is made of nectar that the bees dry with their wings during the night.\n",
);
const rocks = document(
  "rocks.md",
  "# Rocks\n\nGranite cools slowly under the ground, which is why its crystals are large and easy to see.\n\n## Sand\n\nSand is what rivers leave of the rocks that they carry down from the mountains.\n",
);
const documents = [bees, rocks];

const folder = mkdtempSync(join(tmpdir(), "questions-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (...lines: string[]): string => {
  const path = join(folder, "questions.jsonl");
  writeFileSync(path, lines.join("\n"));
  return path;
};

describe("readQuestions", () => {
  it("takes places and quotes", async () => {
    const path = file(
      '{"question":"what?","spans":[{"path":"bees.md","start":2,"end":6},{"quote":"Granite cools"}]}',
      "",
      '{"question":"how?","spans":[{"path":"bees.md","quote":"Honey"}]}',
    );
    expect(await readQuestions(path, documents)).toEqual([
      {
        question: "what?",
        references: [
          { document: "bees.md", start: 2, end: 6 },
          { document: "rocks.md", start: 9, end: 22 },
        ],
      },
      { question: "how?", references: [{ document: "bees.md", start: 90, end: 95 }] },
    ]);
  });

  it.each([
    ['{"question":"what?","spans":[]}', "spans"],
    ['{"question":"what?"', "JSON"],
    ['{"question":"what?","spans":[{"path":"none.md","start":0,"end":1}]}', "none.md"],
    ['{"question":"what?","spans":[{"path":"bees.md","start":0,"end":1000}]}', "code units"],
    ['{"question":"what?","spans":[{"path":"rocks.md","quote":"nectar"}]}', "nectar"],
    ["", "holds none"],
  ])("names the line and what is wrong: %s", async (line, reason) => {
    const reading = readQuestions(file("", line), documents);
    await expect(reading).rejects.toThrow(DataError);
    await expect(readQuestions(file("", line), documents)).rejects.toThrow(reason);
  });
});

describe("makeQuestions", () => {
  it("asks by headings for first sentences, and by half of a sentence for the whole", () => {
    const questions = makeQuestions(documents, { counter, numQuestions: 8 });
    const shown = questions.map(({ question, references: [reference] }) => {
      const { text } = documents.find(({ path }) => path === reference!.document)!;
      return [question, text.slice(reference!.start, reference!.end)];
    });
    expect(shown).toContainEqual([
      "Bees Honey",
      "Honey is made of nectar that the bees dry with their wings during the night.",
    ]);
    expect(shown).toContainEqual([
      "Sand leave carry mountains",
      "Sand is what rivers leave of the rocks that they carry down from the mountains.",
    ]);
    expect(makeQuestions(documents, { counter, numQuestions: 8 })).toEqual(questions);
  });

  it("refuses documents without anything to ask for", () => {
    expect(() => makeQuestions([document("a.md", "x")], { counter })).toThrow(DataError);
  });
});

describe("scoreRetrieval", () => {
  const chunk = (start: number, end: number, parent?: { start: number; end: number }): PlacedChunk => ({
    document: "a",
    start,
    end,
    text: "",
    headingPath: [],
    numTokens: end - start,
    ...(parent && { parent }),
  });
  const search = async (): Promise<number[]> => [2, 0, 1];
  const questions = [{ question: "", references: [{ document: "a", start: 0, end: 15 }] }];

  it("compares the best k with the references", async () => {
    const chunks = [chunk(0, 10), chunk(10, 20), chunk(20, 30)];
    const scores = await scoreRetrieval(chunks, search, questions, { k: 2 });
    expect(scores.recall).toBeCloseTo(10 / 15, 12);
    expect(scores.precision).toBe(0.5);
    expect(scores.iou).toBeCloseTo(10 / 25, 12);
    expect(scores.bestPrecision).toBe(0.75);
    expect(scores.recallAtK).toBe(0.5);
    expect(scores.mrr).toBe(0.5);
    // gains of 2/3 at rank 2, of 2/3 and 1/3 at best
    expect(scores.ndcg).toBeCloseTo((0.63093 * (2 / 3)) / (2 / 3 + 0.63093 / 3), 4);
  });

  it("shows parents in place of chunks, each once, and stops at a budget", async () => {
    const parent = { start: 0, end: 20 };
    const chunks = [chunk(0, 10, parent), chunk(10, 20, parent), chunk(20, 30)];
    const all = await scoreRetrieval(chunks, search, questions, { k: 3 });
    expect([all.recall, all.precision]).toEqual([1, 0.5]);
    const count = ({ start, end }: { start: number; end: number }): number => end - start;
    const few = await scoreRetrieval(chunks, search, questions, { budget: { tokens: 29, count } });
    expect(few.recall).toBe(0);
    const more = await scoreRetrieval(chunks, search, questions, { budget: { tokens: 30, count } });
    expect(more.recall).toBe(1);
  });
});

describe("searchChunking", () => {
  const questions = makeQuestions(documents, { counter });
  const trials = [
    { chunker: "fixed" as const, maxTokens: 12, overlapTokens: 0 },
    { chunker: "sentence" as const, maxTokens: 40, overlapTokens: 0 },
  ];

  it("gives the best way to cut first", async () => {
    const seen: string[] = [];
    const onResult = ({ chunker }: { chunker?: string }): number => seen.push(String(chunker));
    const results = await searchChunking(documents, questions, { trials, counter, k: 1, onResult });
    expect(results.map(({ chunker }) => chunker)).toEqual(["sentence", "fixed"]);
    expect(results[0]!.recall).toBeGreaterThan(results[1]!.recall);
    expect(seen).toEqual(["fixed", "sentence"]);
  });

  it("leaves ways that find as much in the order in which they were tried", async () => {
    const whole = { maxTokens: 10_000, overlapTokens: 0 };
    const names = ["fixed", "sentence-window", "sentence"] as const;
    const results = await searchChunking(documents, questions, {
      trials: names.map((chunker) => ({ ...whole, chunker })),
      counter,
      k: 100,
    });
    expect(results.map(({ recall }) => recall)).toEqual([1, 1, 1]);
    expect(new Set(results.map(({ iou }) => iou)).size).toBeGreaterThan(1);
    expect(results.map(({ chunker }) => chunker)).toEqual(names);
  });

  it("tries every chunker of text in each size, the usual one first", () => {
    const usual = usualTrials();
    expect(usual[0]).toEqual({ chunker: "recursive", maxTokens: 128, overlapTokens: 0 });
    expect(new Set(usual.map(({ chunker }) => chunker))).toContain("sentence-window");
    expect(usualTrials(["sentence-window"]).map(({ overlapTokens }) => overlapTokens)).toEqual([0, 0, 0]);
  });

  it("searches by vectors where an embedder is given", async () => {
    const embedder = {
      model: "letters",
      dimension: 2,
      embed: async (texts: readonly string[]) =>
        texts.map((text) =>
          Float32Array.from([/bee|honey/i.test(text) ? 1 : 0, /rock|sand|granite/i.test(text) ? 1 : 0]),
        ),
    };
    const trial = { maxTokens: 200, overlapTokens: 0 };
    const { recall, numChunks } = await evaluateChunking(documents, questions, trial, { counter, k: 1, embedder });
    expect(numChunks).toBe(2);
    expect(recall).toBeCloseTo(1, 12);
  });
});
