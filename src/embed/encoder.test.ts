import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sharedRuntime } from "../../test/support/golden.js";
import { CapacityError } from "../base/errors.js";
import { embedTexts, loadEncoder } from "../presets/index.js";
import { encoderFolder } from "./encoder.js";

const golden = fileURLToPath(new URL("../../test/golden/encoders/bert", import.meta.url));
const runtime = sharedRuntime();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-encoder-"));
  await cp(golden, folder, { recursive: true });
  const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ..."abcdefghijklmnopqrstuvwxyz"];
  await writeFile(join(folder, "vocab.txt"), `${words.join("\n")}\n`);
  await writeFile(
    join(folder, "config_sentence_transformers.json"),
    JSON.stringify({ prompts: { query: "q ", document: "p " } }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const texts = ["a b c d e f g h", "z", "x y", "a b c", "m n o p q r"];

it("embeds with the model's prompts, in batches of like length, as one text at a time", async () => {
  const loaded = await loadEncoder(folder);
  // modules.json says where the prompts count; without it the file beside it is not read
  const embedder = await encoderFolder.open(folder, {
    runtime: runtime(),
    batchTokens: 16,
    prompts: { query: "q ", passage: "p " },
  });
  for (const [kind, prompt] of [
    ["query", "q "],
    ["passage", "p "],
  ] as const) {
    const vectors = await embedder.embed(texts, kind);
    for (const [i, text] of texts.entries()) {
      const [alone] = await embedTexts(runtime(), loaded, [prompt + text]);
      expect(dot(vectors[i]!, alone!)).toBeCloseTo(1, 5);
      expect(dot(vectors[i]!, vectors[i]!)).toBeCloseTo(1, 5);
    }
  }
});

it("cuts nothing in silence", async () => {
  const long = "a ".repeat(30);
  const strict = await encoderFolder.open(folder, { runtime: runtime() });
  await expect(strict.embed(["a", long], "query")).rejects.toBeInstanceOf(CapacityError);
  await expect(strict.embed(["a", long], "query")).rejects.toThrow("text 1 has 32 tokens, and the model takes 24");
  const cuts: unknown[] = [];
  const lenient = await encoderFolder.open(folder, { runtime: runtime(), onCut: (cut) => cuts.push(cut) });
  expect(await lenient.embed(["a", long], "query")).toHaveLength(2);
  expect(cuts).toEqual([{ text: long, numTokens: 30, maxTokens: 24 }]);
  await expect(encoderFolder.open(folder, { maxTokens: 500 })).rejects.toThrow(
    "maxTokens must be a whole number from 3 to 24, got 500",
  );
});

it("gives token vectors whose mean is the text's, and reads long texts in windows", async () => {
  const embedder = await encoderFolder.open(folder, { runtime: runtime(), prompts: { passage: "" } });
  const text = "a b c d";
  const { starts, ends, vectors } = await embedder.embedTokens!(text);
  expect([...starts].map((start, i) => text.slice(start, ends[i]))).toEqual(["a", "b", "c", "d"]);
  expect(vectors.length).toBe(4 * embedder.dimension);
  // the same letter means something else elsewhere
  const other = await embedder.embedTokens!("a z z z");
  expect(Math.abs(vectors[0]! - other.vectors[0]!)).toBeGreaterThan(1e-4);

  const long = "abcdefghijklmnopqrstuvwxyz".repeat(2).split("").join(" ");
  const read = await embedder.embedTokens!(long);
  expect([...read.starts]).toEqual(Array.from({ length: 52 }, (_, i) => 2 * i));
  expect(read.vectors.every(Number.isFinite)).toBe(true);
  const first = await embedder.embedTokens!(long.slice(0, 2 * 22 - 1));
  // the first window of 22 tokens is read by itself
  for (let i = 0; i < first.vectors.length; i++) expect(read.vectors[i]!).toBeCloseTo(first.vectors[i]!, 5);
});

it("is another model with other prompts", async () => {
  const plain = await encoderFolder.open(folder, { runtime: runtime() });
  const prompted = await encoderFolder.open(folder, { runtime: runtime(), prompts: { query: "x " } });
  expect(plain.model).toMatch(/@[0-9a-f]{12}$/);
  expect(prompted.model).not.toBe(plain.model);
  expect((await encoderFolder.open(folder, { numThreads: 1 })).model).toBe(plain.model);
});
