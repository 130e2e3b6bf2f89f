import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ConfigError, DataError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { openEmbedder } from "../../embed/index.js";
import { loadEncoder } from "../../presets/index.js";
import { type EmbeddingEvent, type EmbeddingReport, tuneEmbedding } from "./index.js";

const golden = fileURLToPath(new URL("../../../test/golden/encoders/bert", import.meta.url));
const letters = "abcdefghijklmnopqrstuvwxyz";

let folder: string;
let base: string;
let data: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-embedding-"));
  base = join(folder, "base");
  data = join(folder, "pairs.jsonl");
  await cp(golden, base, { recursive: true });
  const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...letters, ...[...letters].map((l) => `##${l}`)];
  await writeFile(join(base, "vocab.txt"), `${words.join("\n")}\n`);
});
afterEach(() => rm(folder, { recursive: true }));

const rng = new Rng(2);
const pick = (from: string): string => from[rng.below(from.length)]!;
/** A query of letters, and a passage of the letters thirteen places on: nothing in common but what can be learned. */
function row(): { question: string; answer: string } {
  const query = Array.from({ length: 3 }, () => pick(letters.slice(0, 13)));
  return {
    question: query.join(" "),
    answer: query.map((letter) => letters[letters.indexOf(letter) + 13]!).join(" "),
  };
}
const lines = (rows: readonly unknown[]): string => rows.map((value) => `${JSON.stringify(value)}\n`).join("");
const settings = () => ({
  base,
  data,
  out: join(folder, "out"),
  batchSize: 16,
  microTokens: 64,
  learningRate: 3e-3,
  steps: 30,
  heldOut: 0.25,
  threads: 1,
});

it("finds more held-out passages than the base, and writes a model that is read again", async () => {
  await writeFile(data, lines(Array.from({ length: 160 }, row)));
  const events: EmbeddingEvent[] = [];
  const report = await tuneEmbedding(settings(), {}, (event) => events.push(event));
  expect(report.after!.mrr).toBeGreaterThan(2 * report.before!.mrr);
  expect(report.after!.recallAt10).toBeGreaterThan(report.before!.recallAt10);
  expect(report.loss.last).toBeLessThan(report.loss.first);
  expect(events.filter(({ type }) => type === "search").length).toBeGreaterThan(2);
  const json = JSON.parse(await readFile(join(folder, "out", "report.json"), "utf8")) as EmbeddingReport;
  expect(json.after).toEqual(report.after);
  expect(await readFile(join(report.model, "README.md"), "utf8")).toContain(report.after!.mrr.toFixed(3));

  const loaded = await loadEncoder(report.model);
  expect(loaded.pooling).toEqual({ modes: ["mean"], isNormalized: true });
  await using embedder = await withClose(openEmbedder(report.model, { numThreads: 1 }));
  const [query, right, wrong] = await embedder.value.embed(["a b c", "n o p", "x y z"], "query");
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  expect(dot(query!, right!)).toBeGreaterThan(dot(query!, wrong!));
  await expect(tuneEmbedding(settings())).rejects.toThrow("is there already");
});

async function withClose<T extends { close?(): Promise<void> }>(opening: Promise<T>) {
  const value = await opening;
  return { value, [Symbol.asyncDispose]: async () => value.close?.() };
}

it("goes on where it was stopped, to the same weights", async () => {
  await writeFile(data, lines(Array.from({ length: 64 }, row)));
  const short = { ...settings(), steps: 6, checkpointSteps: 1 };
  const whole = await tuneEmbedding({ ...short, out: join(folder, "whole") });
  const controller = new AbortController();
  const stopped = tuneEmbedding(short, { signal: controller.signal }, (event) => {
    if (event.type === "train" && event.event.type === "step" && event.event.step === 3) controller.abort();
  });
  await expect(stopped).rejects.toThrow("goes on from there");
  const resumed = await tuneEmbedding(short);
  expect(resumed.before).toEqual(whole.before);
  expect(resumed.after).toEqual(whole.after);
  const weights = (report: EmbeddingReport) => readFile(join(report.model, "model.safetensors"));
  expect((await weights(resumed)).equals(await weights(whole))).toBe(true);
});

it("names the lines of faults, and refuses what makes no batch", async () => {
  await writeFile(data, `${lines([row(), { query: "a" }])}{"query": 1,\n${lines([{ query: "a", positive: "" }])}`);
  const failed = tuneEmbedding(settings());
  await expect(failed).rejects.toBeInstanceOf(DataError);
  await expect(failed).rejects.toThrow(
    /3 faults[\s\S]*pairs.jsonl:2: expected query and positive[\s\S]*pairs.jsonl:3[\s\S]*pairs.jsonl:4: positive: expected a text/,
  );
  await writeFile(data, lines(Array.from({ length: 40 }, () => ({ query: "a b", positive: "c d" }))));
  await expect(tuneEmbedding({ ...settings(), heldOut: 0 })).rejects.toThrow("at most 1 of the 40 pairs");
  await writeFile(
    data,
    lines(Array.from({ length: 40 }, (_, i) => ({ query: `${i}`, positive: `${"a ".repeat(60)}${i}` }))),
  );
  await expect(tuneEmbedding({ ...settings(), heldOut: 0 })).rejects.toThrow(
    /40 texts have more than \d+ tokens: pairs.jsonl:1/,
  );
  await expect(tuneEmbedding({ ...settings(), rate: 1 } as never)).rejects.toBeInstanceOf(ConfigError);
});

it("learns from hard negatives, under the names that columns have, with prompts", async () => {
  const rows = Array.from({ length: 40 }, row).map(({ question, answer }) => ({
    q: question,
    p: answer,
    n: [question],
  }));
  await writeFile(data, lines(rows));
  const columns = { query: "q", positive: "p", negative: "n" };
  const report = await tuneEmbedding({ ...settings(), columns, steps: 4, prompts: { query: "q " } });
  expect(report.pairs.negatives).toBe(1);
  expect((await loadEncoder(report.model)).prompts).toEqual({ query: "q ", passage: "" });
  const missing = tuneEmbedding({ ...settings(), out: join(folder, "other"), columns: { ...columns, positive: "x" } });
  await expect(missing).rejects.toThrow("a row has no column x");
});
