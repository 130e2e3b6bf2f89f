/** @file 100,000 chunks: indexing, search by words, by vectors beside usearch, and by both. */

import { Index, MetricKind, ScalarKind } from "usearch";
import { Rng } from "../../src/base/rng.js";
import type { DocumentChunks, Store } from "../../src/retrieval/index.js";
import { type BenchContext, compared, type Figure, median, plain } from "../bench.js";
import { corpus, dimension, pieces, quantile, TermVectors, type Times, timed, timesOf } from "./material.js";
import { withStore } from "./store.js";

const numChunks = 100_000;
const numQueries = 200;
/** Chunks that are written at once, as `syncIndex` does. */
const batchSizeChunks = 1000;

/** English and Chinese as in the corpus, mixed, in documents as they are. */
export function documentsOf(count: number): DocumentChunks[] {
  const documents: DocumentChunks[] = [];
  for (const prefix of ["corpus-en", "corpus-zh"]) {
    for (const { source, path, text } of corpus(prefix)) {
      documents.push({ path: `${source}/${path}`, hash: "", chunks: pieces(`${source}/${path}`, text) });
    }
  }
  new Rng(1).shuffle(documents);
  const kept: DocumentChunks[] = [];
  for (let [i, left] = [0, count]; left > 0; i++) {
    const { chunks, ...document } = documents[i]!;
    kept.push({ ...document, chunks: chunks.slice(0, left) });
    left -= Math.min(left, chunks.length);
  }
  return kept;
}

export const withVectors = (documents: readonly DocumentChunks[], model: TermVectors) =>
  documents.map((document) => ({
    ...document,
    chunks: document.chunks.map((chunk) => ({ ...chunk, vector: model.vectorOf(chunk.text) })),
  }));

export async function fill(store: Store, documents: readonly DocumentChunks[]): Promise<void> {
  let batch: DocumentChunks[] = [];
  let size = 0;
  for (const document of documents) {
    batch.push(document);
    size += document.chunks.length;
    if (size < batchSizeChunks) continue;
    await store.replace(batch);
    [batch, size] = [[], 0];
  }
  if (batch.length > 0) await store.replace(batch);
}

/** Titles and sentences of documents that are not indexed. */
function questions(): string[] {
  const held = [...corpus("heldout-en"), ...corpus("heldout-zh")];
  const all = held.flatMap(({ title, text }) => [title, /[A-Z][^.\n]{40,120}\./.exec(text)?.[0] ?? title]);
  return new Rng(2).shuffle(all.filter((text) => text !== "")).slice(0, numQueries);
}

export async function scaleFigures({ log }: BenchContext): Promise<Figure[]> {
  const documents = documentsOf(numChunks);
  const texts = documents.flatMap(({ chunks }) => chunks.map(({ text }) => text));
  const asked = questions();
  const figures = await withStore({}, async (store) => {
    const [, milliseconds] = await timed(() => fill(store, documents));
    const times = await timesOfAll(asked, (text) => store.query({ text, limit: 10 }));
    return [
      plain("100,000 chunks, indexing without embeddings", "s", milliseconds / 1000, { atMost: 180 }),
      ...latencyFigures("100,000 chunks, by words", times),
    ];
  });
  log("  words done; making vectors");
  const model = new TermVectors(texts);
  const embedded = withVectors(documents, model);
  const queries = asked.map((text) => ({ text, vector: model.vectorOf(text) }));
  return withStore({ embedding: { model: "terms", dimension } }, async (store) => {
    const [, milliseconds] = await timed(() => fill(store, embedded));
    figures.push(plain("100,000 chunks, indexing with vectors given", "s", milliseconds / 1000));
    const hybrid = await timesOfAll(queries, (query) => store.query({ ...query, limit: 10 }));
    const processor = hybrid.map((times) => times.processor);
    figures.push(
      ...latencyFigures("100,000 chunks, hybrid", hybrid, { atMost: 20 }),
      plain("100,000 chunks, hybrid, processor time, median", "ms", median(processor)),
      plain("100,000 chunks, hybrid, processor time, p95", "ms", quantile(processor, 0.95)),
    );
    const vectors = embedded.flatMap(({ chunks }) => chunks.map(({ vector }) => vector));
    const ids = new Map(embedded.flatMap(({ chunks }) => chunks.map(({ id }) => id)).map((id, i) => [id, i]));
    figures.push(...(await vectorFigures(store, vectors, ids, queries, log)));
    return figures;
  });
}

async function timesOfAll<T>(queries: readonly T[], search: (query: T) => Promise<unknown>): Promise<Times[]> {
  for (const query of queries.slice(0, 5)) await search(query);
  const times: Times[] = [];
  for (const query of queries) times.push(await timesOf(() => search(query)));
  return times;
}

/** Median and 95th percentile. */
function latencyFigures(name: string, times: readonly Times[], goal?: { readonly atMost: number }): Figure[] {
  const latencies = times.map(({ latency }) => latency);
  return [
    plain(`${name}, median`, "ms", median(latencies)),
    plain(`${name}, p95`, "ms", quantile(latencies, 0.95), goal),
  ];
}

async function vectorFigures(
  store: Store,
  vectors: readonly Float32Array[],
  ids: ReadonlyMap<string, number>,
  queries: readonly { readonly vector: Float32Array }[],
  log: BenchContext["log"],
): Promise<Figure[]> {
  const index = new Index({
    metric: MetricKind.IP,
    dimensions: dimension,
    quantization: ScalarKind.F32,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 64,
    multi: false,
  });
  const [, building] = await timed(() => {
    for (const [i, vector] of vectors.entries()) index.add(BigInt(i), vector);
  });
  log(`  usearch built in ${(building / 1000).toFixed(1)} s`);
  const own: number[] = [];
  const theirs: number[] = [];
  let [ownFound, theirFound] = [0, 0];
  for (const { vector } of queries) {
    const [hits, ownTime] = await timed(() => store.query({ vector, limit: 10 }));
    const [matches, theirTime] = await timed(() => index.search(vector, 10, 1));
    own.push(ownTime);
    theirs.push(theirTime);
    const best = new Set(nearest(vectors, vector, 10));
    ownFound += hits.filter(({ chunk }) => best.has(ids.get(chunk.id)!)).length;
    theirFound += Array.from("keys" in matches ? matches.keys : []).filter((key) => best.has(Number(key))).length;
  }
  const name = "usearch, vectors alone";
  const perSecond = (times: readonly number[]): number => 1000 / median(times);
  return [
    compared("100,000 x 384, recall@10", "share", ownFound / (10 * queries.length), {
      value: theirFound / (10 * queries.length),
      name,
    }),
    compared("100,000 x 384, with chunks from the disk", "queries/s", perSecond(own), {
      value: perSecond(theirs),
      name,
    }),
    plain("100,000 x 384, p95", "ms", quantile(own, 0.95)),
    plain("100,000 x 384, building usearch", "s", building / 1000),
  ];
}

/** By comparing with all. */
function nearest(vectors: readonly Float32Array[], query: Float32Array, k: number): number[] {
  const scores = Float32Array.from(vectors, (vector) => {
    let sum = 0;
    for (let i = 0; i < dimension; i++) sum += vector[i]! * query[i]!;
    return sum;
  });
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, k);
}
