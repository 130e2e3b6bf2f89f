/** @file Hot rows are only faster: whatever changes, and whoever changes it, the answers are those of the disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { openSqlite, sqlite } from "./sqlite.js";
import { loadDriver } from "./sqlite-driver.js";
import type { DocumentChunks, Query, Store } from "./store.js";

const embedding = { model: "m", dimension: 16 };
const words = ["pump", "valve", "hose", "压力", "阀门", "opens", "bar", "litres"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tessera-hot-rows-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function unitVector(rng: Rng): Float32Array {
  const vector = Float32Array.from({ length: embedding.dimension }, () => rng.normal());
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function documentAt(path: string, version: number, rng: Rng): DocumentChunks {
  const chunks = Array.from({ length: 1 + rng.below(4) }, (_, i) => {
    const text = Array.from({ length: 6 }, () => words[rng.below(words.length)]!).join(" ");
    const place = { start: 100 * i, end: 100 * i + text.length, headingPath: [`v${version}`], numTokens: 6 };
    return { ...place, text, id: `${path}#${i}`, vector: unitVector(rng) };
  });
  return { path, hash: `${version}`, chunks, metadata: { version } };
}

it("answers as an index without them does, while this process and another one change it", async () => {
  const rng = new Rng(5);
  const [writer, other] = [await sqlite.open(folder, { embedding }), await sqlite.open(folder, { embedding })];
  await using hot: Store = writer;
  await using hotReader: Store = other;
  await using cold = openSqlite(await loadDriver(), folder, { embedding, hotBytes: 0 });
  const queries: Query[] = Array.from({ length: 3 }, () => ({
    text: `${words[rng.below(words.length)]} ${words[rng.below(words.length)]}`,
    vector: unitVector(rng),
    limit: 5,
  }));
  for (let round = 0; round < 12; round++) {
    const paths = Array.from({ length: 3 }, () => `${rng.below(12)}.md`);
    if (round % 5 === 4) await hot.remove(paths);
    else await hot.replace([...new Set(paths)].map((path) => documentAt(path, round, rng)));
    for (const { text, vector, limit } of queries) {
      for (const query of [
        { text: text!, limit },
        { vector: vector!, limit },
        { text: text!, vector: vector!, limit },
      ]) {
        const expected = await cold.query(query);
        expect(expected.length).toBeGreaterThan(0);
        // twice: read, and from memory
        for (const store of [hot, hotReader, hot, hotReader]) expect(await store.query(query)).toEqual(expected);
      }
    }
  }
});

it("gives copies, so that nobody changes what the next one gets", async () => {
  await using store = await sqlite.open(folder, { embedding });
  await store.replace([documentAt("a.md", 1, new Rng(1))]);
  const query = { vector: unitVector(new Rng(2)), limit: 1 };
  const [first] = await store.query(query);
  const before = first!.chunk.vector!.slice();
  first!.chunk.vector!.fill(0);
  const [second] = await store.query(query);
  expect(second!.chunk.vector).toEqual(before);
});

it("wants a number of bytes", async () => {
  await expect(sqlite.open(folder, { hotBytes: -1 })).rejects.toThrow("hotBytes must be 0 or more, got -1");
  await expect(sqlite.open(folder, { hotBytes: Number.NaN })).rejects.toThrow("got NaN");
});
