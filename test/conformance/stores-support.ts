/** @file What the conformance suites of the indexes share: places for them, documents, words and vectors. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, it } from "vitest";
import type { Rng } from "../../src/base/rng.js";
import type { DocumentChunks, IndexedChunk, Store, StoreDef, StoreOptions } from "../../src/retrieval/index.js";
import { isOneSession, startPostgres, type TestPostgres } from "../support/postgres.js";

const folders: string[] = [];
const opened: Store[] = [];
let postgres: TestPostgres | undefined;
let numSchemas = 0;

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]();
});

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tessera-store-"));
  folders.push(folder);
  return folder;
}

/** Where an index of this kind can be made: a folder, or a schema in a database. */
export async function newLocation({ schemes }: StoreDef): Promise<string> {
  if (!schemes.includes("postgres")) return newFolder();
  postgres ??= await startPostgres();
  return `${postgres.address}?schema=test_${process.pid}_${numSchemas++}`;
}

/** Leaves out what a kind of index declares in `skips`, with its reason as the name of the case. */
export function caseOf(def: StoreDef): (name: string, body: () => Promise<void>) => void {
  const skips: Readonly<Record<string, string>> = {
    ...def.skips,
    ...(def.schemes.includes("postgres") && isOneSession && oneSessionSkips),
  };
  return (name, body) => {
    const reason = skips[name];
    if (reason === undefined) it(name, body);
    else it.skip(`${name} (${reason})`, body);
  };
}

const oneSession =
  "PGlite has one session for all connections, so a second writer is the first; set TESSERA_TEST_POSTGRES";
const oneSessionSkips = {
  "lets one writer in at a time": oneSession,
  "tells a second process that the first one writes, and lets it in when that is killed": oneSession,
};

/** An open index that is closed, and whose folder is removed, after the test. */
export async function open(def: StoreDef, location?: string, options?: StoreOptions): Promise<Store> {
  const store = await def.open(location ?? (await newLocation(def)), options);
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
