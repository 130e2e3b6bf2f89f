import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CheckpointError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { tokenizerFromJson, trainWordPiece } from "../../tokenizers/index.js";
import { openEmbedder } from "../open-embedder.js";
import { readStaticModel, writeStaticModel } from "./static-folder.js";
import { quantizeRows, StaticModel } from "./static-model.js";

const DIMENSION = 6;
const texts = ["the cat sat on the mat", "a dog ran", "the cat ran on"];

async function tiny() {
  const file = await trainWordPiece(texts, { vocabSize: 30, minFrequency: 1, specialTokens: ["[UNK]"] });
  const tokenizerJson = JSON.stringify(file);
  const tokenizer = tokenizerFromJson(tokenizerJson);
  const rng = new Rng(4);
  const values = Float32Array.from({ length: tokenizer.vocabSize * DIMENSION }, () => rng.normal());
  return { tokenizer, tokenizerJson, table: { dimension: DIMENSION, values } };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-static-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("is the mean of the tokens' rows at unit length, whatever the order of words", async () => {
  const { tokenizer, table } = await tiny();
  const model = new StaticModel(tokenizer, table);
  const ids = tokenizer.encode("the cat");
  const sum = Array.from({ length: DIMENSION }, (_, j) =>
    ids.reduce((total, id) => total + table.values[id * DIMENSION + j]!, 0),
  );
  const length = Math.hypot(...sum);
  for (const [j, value] of model.embed("the cat").entries()) expect(value).toBeCloseTo(sum[j]! / length, 5);
  const [one, other] = [model.embed("cat the"), model.embed("the cat")];
  for (const [j, value] of one.entries()) expect(value).toBeCloseTo(other[j]!, 5);
  expect(model.embed("")).toEqual(model.embed("[UNK]".replace(/./g, "☃")));
});

it("gives the rows of tokens with their places", async () => {
  const { tokenizer, table } = await tiny();
  const text = "the cat sat";
  const { starts, ends, vectors } = new StaticModel(tokenizer, table).embedTokens(text);
  const ids = tokenizer.encode(text);
  expect(vectors).toEqual(
    Float32Array.from([...ids].flatMap((id) => [...table.values.subarray(id * DIMENSION, (id + 1) * DIMENSION)])),
  );
  expect(text.slice(starts[0], ends[0])).toBe("the".slice(0, ends[0]));
  expect(ends.at(-1)).toBe(text.length);
});

it("keeps rows in int8 within a 250th of their largest value", () => {
  const rng = new Rng(1);
  const values = Float32Array.from({ length: 60 }, () => rng.normal());
  values.fill(0, 54);
  const { values: codes, scales } = quantizeRows(values, DIMENSION);
  for (const [i, value] of values.entries()) {
    const row = Math.floor(i / DIMENSION) * DIMENSION;
    const largest = Math.max(...values.subarray(row, row + DIMENSION).map(Math.abs));
    expect(Math.abs(codes[i]! * scales[Math.floor(i / DIMENSION)]! - value)).toBeLessThanOrEqual(largest / 250);
  }
});

it("is written and read in both forms, with one hash for each content", async () => {
  const { tokenizer, tokenizerJson, table } = await tiny();
  const quantized = quantizeRows(table.values, DIMENSION);
  await writeStaticModel(join(folder, "plain"), table, { tokenizerJson });
  await writeStaticModel(join(folder, "int8"), quantized, { tokenizerJson, keepQuantized: true, card: "# Card\n" });
  expect(await readFile(join(folder, "int8", "README.md"), "utf8")).toBe("# Card\n");
  const [plain, int8] = [await openEmbedder(join(folder, "plain")), await openEmbedder(join(folder, "int8"))];
  expect(plain.dimension).toBe(DIMENSION);
  expect(plain.model).toMatch(/^plain@[0-9a-f]{12}$/);
  expect(int8.model.slice(5)).not.toBe(plain.model.slice(6));
  const expected = texts.map((text) => new StaticModel(tokenizer, table).embed(text));
  expect(await plain.embed(texts, "passage")).toEqual(expected);
  const near = await int8.embed(texts, "query");
  for (const [i, vector] of near.entries()) {
    expect(vector.reduce((sum, value, j) => sum + value * expected[i]![j]!, 0)).toBeGreaterThan(0.999);
  }
});

it("refuses what is no static model, and weights of another tokenizer", async () => {
  const { tokenizerJson, table } = await tiny();
  await expect(readStaticModel(folder)).rejects.toThrow("names no StaticEmbedding");
  const other = { dimension: DIMENSION, values: table.values.subarray(DIMENSION) };
  await writeStaticModel(join(folder, "other"), other, { tokenizerJson });
  await expect(readStaticModel(join(folder, "other"))).rejects.toThrow(/vectors for the \d+ tokens/);
  await writeFile(join(folder, "other", "0_StaticEmbedding", "model.safetensors"), "x");
  await expect(readStaticModel(join(folder, "other"))).rejects.toBeInstanceOf(CheckpointError);
});

it("stops when it is told to", async () => {
  const { tokenizerJson, table } = await tiny();
  await writeStaticModel(join(folder, "model"), table, { tokenizerJson });
  const embedder = await openEmbedder(join(folder, "model"));
  const stopped = embedder.embed(
    Array.from({ length: 5000 }, () => "the cat"),
    "passage",
    AbortSignal.timeout(0),
  );
  await expect(stopped).rejects.toThrow();
  await expect(openEmbedder(join(folder, "model"), { model: "x" })).rejects.toThrow("(static) has no option model");
});
