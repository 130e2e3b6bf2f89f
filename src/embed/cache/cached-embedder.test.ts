import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { countingEmbedder } from "../../../test/support/counting-embedder.js";
import type { Embedder } from "../embedder.js";
import { cachedEmbedder } from "./cached-embedder.js";
import { Segment } from "./segment.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-vectors-"));
});
afterEach(() => rm(folder, { recursive: true }));

const sizeOnDisk = async (): Promise<number> => {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};

/** Embeds text after text and prints how many have come back. */
const writing = (path: string, round: number): string => `
  import { countingEmbedder } from "./test/support/counting-embedder.js";
  import { cachedEmbedder } from "./src/embed/cache/cached-embedder.js";
  const cached = await cachedEmbedder(countingEmbedder(), ${JSON.stringify(path)});
  for (let i = 0; ; i++) {
    await cached.embed(["round ${round} text " + i], "passage");
    process.stdout.write(i + 1 + "\\n");
  }`;

it("computes nothing twice, in this process and the next, and gives what the embedder gave", async () => {
  const texts = ["one", "two", "three", "two"];
  const plain = countingEmbedder();
  const expected = await plain.embed(texts, "passage");
  const first = countingEmbedder();
  const cached = await cachedEmbedder(first, folder);
  expect(await cached.embed(texts, "passage")).toEqual(expected);
  expect(first.asked).toEqual(["one", "two", "three"]);
  await cached.embed(["two", "four"], "passage");
  expect(first.asked).toEqual(["one", "two", "three", "four"]);
  expect(cached.statistics).toEqual({ hits: 1, misses: 5, damaged: 0 });
  await cached.close!();

  const second = countingEmbedder();
  const again = await cachedEmbedder(second, folder);
  expect(await again.embed(texts, "passage")).toEqual(expected);
  expect(second.asked).toEqual([]);
  expect(again.statistics.hits).toBe(4);
  // a query is another text than a passage, and another model has other vectors
  await again.embed(["one"], "query");
  expect(second.asked).toEqual(["one"]);
  await again.close!();
  const other = countingEmbedder("other");
  const foreign = await cachedEmbedder(other, folder);
  await foreign.embed(["one"], "passage");
  expect(other.asked).toEqual(["one"]);
  await foreign.close!();
});

it("makes vectors again that were damaged or left unfinished, and keeps the others", async () => {
  const cached = await cachedEmbedder(countingEmbedder(), folder);
  const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
  const expected = await cached.embed(texts, "passage");
  await cached.close!();
  const [name] = await readdir(folder);
  const path = join(folder, name!);
  const bytes = await readFile(path);
  bytes[bytes.length - 3 * Segment.recordBytes(8) + 20]! ^= 1;
  await writeFile(path, bytes);
  await truncate(path, bytes.length - 5);

  const inner = countingEmbedder();
  const again = await cachedEmbedder(inner, folder);
  expect(await again.embed(texts, "passage")).toEqual(expected);
  expect(inner.asked).toEqual(["text 17", "text 19"]);
  expect(again.statistics).toEqual({ hits: 18, misses: 2, damaged: 1 });
  await again.close!();
});

it("stays within its bytes: the oldest vectors go", async () => {
  const maxBytes = 64 * Segment.recordBytes(8);
  const inner = countingEmbedder();
  const cached = await cachedEmbedder(inner, folder, { maxBytes });
  for (let i = 0; i < 200; i++) await cached.embed([`text ${i}`], "passage");
  expect(await sizeOnDisk()).toBeLessThanOrEqual(maxBytes);
  inner.asked.length = 0;
  await cached.embed(["text 0", "text 199"], "passage");
  expect(inner.asked).toEqual(["text 0"]);
  await cached.close!();
  await expect(cachedEmbedder(inner, folder, { maxBytes: 10 })).rejects.toThrow("maxBytes must be at least");
});

it("puts the small files of many processes together", async () => {
  for (let i = 0; i < 30; i++) {
    const cached = await cachedEmbedder(countingEmbedder(), folder);
    await cached.embed([`text ${i}`], "passage");
    await cached.close!();
  }
  expect((await readdir(folder)).length).toBeLessThan(25);
  const inner = countingEmbedder();
  const cached = await cachedEmbedder(inner, folder);
  await cached.embed(
    Array.from({ length: 30 }, (_, i) => `text ${i}`),
    "passage",
  );
  expect(inner.asked).toEqual([]);
  await cached.close!();
});

it("serves two at once in one folder, and passes on what it does not keep", async () => {
  const inner: Embedder = {
    ...countingEmbedder(),
    embedTokens: async () => ({ starts: Int32Array.of(0), ends: Int32Array.of(1), vectors: new Float32Array(8) }),
  };
  const [a, b] = [await cachedEmbedder(countingEmbedder(), folder), await cachedEmbedder(inner, folder)];
  const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
  const [one, two] = await Promise.all([a.embed(texts, "query"), b.embed(texts, "query")]);
  expect(one).toEqual(two);
  expect(a.embedTokens).toBeUndefined();
  expect((await b.embedTokens!("x")).starts).toEqual(Int32Array.of(0));
  await a.close!();
  await b.close!();
  const third = countingEmbedder();
  const last = await cachedEmbedder(third, folder);
  await last.embed(texts, "query");
  await last.close!();
  expect(third.asked).toEqual([]);
});

it("loses nothing that was given back, and nothing else, to kill -9", async () => {
  for (let round = 0; round < 2; round++) {
    const args = ["--import", "tsx", "--input-type=module", "-e", writing(folder, round)];
    const cwd = fileURLToPath(new URL("../../../", import.meta.url));
    const writer = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
    let done = -1;
    await new Promise<void>((finished) => {
      writer.stdout.on("data", (piece: Buffer) => {
        for (const line of piece.toString().trim().split("\n")) done = Number(line);
        if (done > 40 * (round + 1)) writer.kill("SIGKILL");
      });
      writer.on("exit", () => finished());
    });
    const inner = countingEmbedder();
    const cached = await cachedEmbedder(inner, folder);
    const texts = Array.from({ length: done }, (_, i) => `round ${round} text ${i}`);
    expect(await cached.embed(texts, "passage")).toEqual(await countingEmbedder().embed(texts, "passage"));
    expect(inner.asked).toEqual([]);
    expect(cached.statistics.damaged).toBe(0);
    await cached.close!();
  }
});
