/** @file What the conformance suites of the indexes share: folders that go away, documents, words and vectors. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { Rng } from "../../src/base/rng.js";
import type { DocumentChunks, IndexedChunk, Store, StoreDef, StoreOptions } from "../../src/retrieval/index.js";

const folders: string[] = [];
const opened: Store[] = [];

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tessera-store-"));
  folders.push(folder);
  return folder;
}

/** An open index that is closed, and whose folder is removed, after the test. */
export async function open(def: StoreDef, folder = newFolder(), options?: StoreOptions): Promise<Store> {
  const store = await def.open(folder, options);
  opened.push(store);
  return store;
}

export function document(
  path: string,
  texts: readonly string[],
  vectors?: readonly Float32Array[],
  hash = "h",
): DocumentChunks {
  let start = 0;
  const chunks = texts.map((text, i): IndexedChunk => {
    const chunk = { id: `${path}#${i}`, start, end: start + text.length, text, headingPath: ["Top"], numTokens: 7 };
    start += text.length;
    return vectors === undefined ? chunk : { ...chunk, vector: vectors[i]! };
  });
  return { path, hash, chunks };
}

export async function search(store: Store, text: string, limit = 10): Promise<string[]> {
  return (await store.query({ text, limit })).map((hit) => hit.chunk.id);
}

export function unitVector(rng: Rng, dimension: number, near?: Float32Array): Float32Array {
  const vector = Float32Array.from(
    { length: dimension },
    (_, i) => rng.normal() + 2 * (near?.[i] ?? 0) * dimension ** 0.5,
  );
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

export function randomText(rng: Rng, numWords: number): string {
  // word frequencies fall like those of language, so that some terms are everywhere and many are rare
  return Array.from({ length: numWords }, () => `w${Math.floor(200 ** rng.uniform())}`).join(" ");
}
