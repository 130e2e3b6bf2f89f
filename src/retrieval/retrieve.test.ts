/** @file Retrieval over a real index: what each step adds, and the trace that says so. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../base/errors.js";
import { fusions, type QueryEmbedder, type Reranker, retrieve, type Store, splitQuestion, stores } from "./index.js";

/** Directions of meaning; a word that is not here means nothing. */
const meanings = ["cat feline kitten", "dog hound puppy", "tree oak forest", "engine motor car"].map((of) =>
  of.split(" "),
);

function vectorOf(text: string): Float32Array {
  const words = text.toLowerCase().match(/\w+/g) ?? [];
  const vector = Float32Array.from(meanings, (of) => 0.05 + words.filter((word) => of.includes(word)).length);
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

const embedder: QueryEmbedder = { model: "meanings", embed: async (texts) => texts.map(vectorOf) };

const texts: Record<string, string> = {
  "cats.md": "The cat sleeps. A kitten plays all day.",
  "copy.md": "The cat sleeps. A kitten plays all night.",
  "dogs.md": "A hound runs after the ball.",
  "trees.md": "An oak grows slowly in the wood.",
  "cars.md": "The motor needs oil.",
};

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tessera-retrieve-"));
  store = await stores.sqlite.open(folder, { embedding: { model: "meanings", dimension: 4 } });
  await store.replace(
    Object.entries(texts).map(([path, text]) => ({
      path,
      hash: "h",
      metadata: { isPet: /cat|hound/.test(text) },
      chunks: [
        { id: path, start: 0, end: text.length, text, headingPath: ["Things"], numTokens: 8, vector: vectorOf(text) },
      ],
    })),
  );
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const pathsOf = async (question: string, options: Omit<Parameters<typeof retrieve>[1], "store"> = {}) =>
  (await retrieve(question, { store, ...options })).passages.map(({ chunk }) => chunk.path);

describe("retrieve", () => {
  it("searches by words without an embedder, by words and meaning with one", async () => {
    expect(await pathsOf("oak")).toEqual(["trees.md"]);
    expect(await pathsOf("puppy")).toEqual([]);
    expect((await pathsOf("puppy", { embedder }))[0]).toBe("dogs.md");
    const { passages, questions } = await retrieve("a puppy after the ball", { store, embedder });
    expect(questions).toEqual(["a puppy after the ball"]);
    expect(passages[0]).toMatchObject({
      chunk: { path: "dogs.md" },
      score: 2 / 61,
      trace: {
        found: [
          { by: "text", rank: 1 },
          { by: "vector", rank: 1 },
        ],
        fused: { rank: 1, score: 2 / 61 },
      },
    });
    expect(passages[0]!.trace.found[1]!.score).toBeGreaterThan(0.9);
    expect(await pathsOf("the motor puppy", { embedder, by: "text" })).toEqual(["cars.md"]);
    expect((await pathsOf("oak puppy puppy", { embedder, by: "vector" }))[0]).toBe("dogs.md");
  });

  it("keeps to limit, paths and filter", async () => {
    expect(await pathsOf("cat", { embedder, limit: 2 })).toHaveLength(2);
    expect(await pathsOf("cat", { embedder, paths: ["cars.md"] })).toEqual(["cars.md"]);
    expect(await pathsOf("oak", { embedder, filter: { isPet: true } })).not.toContain("trees.md");
  });

  it("finds with several questions what one leaves out, and says by which", async () => {
    const question = "Where does the kitten play, and what does the motor need?";
    const { questions, passages } = await retrieve(question, { store, rewrite: splitQuestion, limit: 3 });
    expect(questions[0]).toBe(question);
    expect(questions.length).toBeGreaterThan(2);
    const motor = passages.find(({ chunk }) => chunk.path === "cars.md")!;
    expect(motor.trace.found.length).toBeGreaterThan(1);
    expect(new Set(motor.trace.found.map((of) => of.question)).size).toBe(motor.trace.found.length);
    const asked = await retrieve("felines", { store, rewrite: async () => ["kitten", "felines"], limit: 1 });
    expect(asked.questions).toEqual(["felines", "kitten"]);
    expect(asked.passages[0]!.chunk.text).toContain("kitten");
  });

  it("fuses as told", async () => {
    const question = "the hound and the motor";
    const byWeight = (weights: { text: number; vector: number }) =>
      retrieve(question, { store, embedder, fusion: fusions["min-max"], weights });
    const both = await byWeight({ text: 1, vector: 0 });
    const text = await retrieve(question, { store });
    expect(both.passages.slice(0, 2).map(({ chunk }) => chunk.id)).toEqual(text.passages.map(({ chunk }) => chunk.id));
  });

  it("reranks, spreads out and packs, and the trace has each place", async () => {
    const asked: string[][] = [];
    const reranker: Reranker = {
      model: "shorter is better",
      score: async (_, candidates) => {
        asked.push([...candidates]);
        return candidates.map((text) => -text.length);
      },
    };
    const counter = { count: (text: string) => text.length };
    const { passages, packed } = await retrieve("the cat", {
      store,
      embedder,
      reranker,
      mmr: { lambda: 0.3 },
      limit: 3,
      pack: { budget: 120, counter, source: (path) => texts[path] },
    });
    expect(asked[0]![0]).toMatch(/^Things\n/);
    const reranked = passages.map(({ trace }) => trace.reranked!.rank);
    expect(passages.map(({ trace }) => trace.spread!.rank)).toEqual([1, 2, 3]);
    expect(reranked[0]).toBe(1);
    expect(passages[0]!.chunk.path).toBe("cars.md");
    const cats = passages.filter(({ chunk }) => /cat/.test(chunk.text));
    expect(cats.length).toBeLessThan(2);
    expect(packed!.numTokens).toBeLessThanOrEqual(120);
    expect(packed!.spans.length + packed!.omitted.length).toBe(3);
    const withoutMmr = await retrieve("the cat", { store, embedder, reranker, depth: 2 });
    expect(withoutMmr.passages).toHaveLength(2);
    expect(withoutMmr.passages.map(({ score }) => score)).toEqual(
      withoutMmr.passages.map(({ trace }) => trace.reranked!.score),
    );
  });

  it("says what does not fit together", async () => {
    await expect(retrieve("x", { store, limit: 0 })).rejects.toThrow(ConfigError);
    await expect(retrieve("x", { store, depth: 1.5 })).rejects.toThrow(/depth/);
    await expect(retrieve("x", { store, by: "hybrid" })).rejects.toThrow(/needs an embedder/);
    const other = { ...embedder, model: "other" };
    await expect(retrieve("x", { store, embedder: other })).rejects.toThrow(/embedder is other.*vectors of meanings/);
    await expect(retrieve("x", { store, signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  });
});
