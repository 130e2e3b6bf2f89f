/** @file A load in which some chunks are asked for much more often than others, with hot rows in memory and without. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "../../src/base/rng.js";
import { fusions, type QueryEmbedder, retrieve, type Store, stores } from "../../src/retrieval/index.js";
import { type BenchContext, compared, type Figure } from "../bench.js";
import { dimension, quantile, TermVectors, type Times, timesOf } from "./material.js";
import { documentsOf, fill } from "./scale.js";

const numChunks = 100_000;
const numTopics = 1000;
const numRequests = 4000;
const embedding = { model: "terms", dimension };

interface Load {
  /** Sentences of a chunk each: two who ask about the same seldom use the same words. */
  readonly topics: readonly (readonly string[])[];
  readonly embedder: QueryEmbedder;
}

export async function hotFigures({ log }: BenchContext): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "tessera-hot-"));
  try {
    const { topics, embedder } = await makeIndex(folder);
    log("  index done; asking");
    await using cold = await stores.sqlite.open(folder, { embedding, hotBytes: 0 });
    await using hot = await stores.sqlite.open(folder, { embedding });
    const rng = new Rng(3);
    const skewed = Array.from({ length: numRequests }, () => {
      const topic = topics[zipf(rng)]!;
      return topic[rng.below(topic.length)]!;
    });
    const first = topics.map(([question]) => question!);
    const [evenCold, evenHot] = await bothTimes(first, cold, hot, embedder);
    const [skewedCold, skewedHot] = await bothTimes(skewed, cold, hot, embedder);
    // once it is known what is hot
    const later = (times: readonly Times[]): readonly Times[] => times.slice(numRequests / 2);
    return [
      ...besideCold("each question once", evenCold, evenHot),
      ...besideCold("skewed load", later(skewedCold), later(skewedHot), { atMost: 0.7 }),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param goal of the 95th percentile of latency. */
function besideCold(
  name: string,
  cold: readonly Times[],
  hot: readonly Times[],
  goal?: { readonly atMost: number },
): Figure[] {
  const figure = (of: keyof Times, share: number, held?: { readonly atMost: number }): Figure => {
    const [ours, peer] = [hot, cold].map((times) =>
      quantile(
        times.map((one) => one[of]),
        share,
      ),
    );
    const what = share === 0.5 ? "median" : `p${100 * share}`;
    return compared(`${name}, ${of}, ${what}`, "ms", ours!, { value: peer!, name: "without hot rows" }, held);
  };
  return [figure("latency", 0.5), figure("latency", 0.95, goal), figure("processor", 0.5), figure("processor", 0.95)];
}

async function makeIndex(folder: string): Promise<Load> {
  const documents = documentsOf(numChunks);
  const texts = documents.flatMap(({ chunks }) => chunks.map(({ text }) => text));
  const model = new TermVectors(texts);
  await using store = await stores.sqlite.open(folder, { embedding });
  const withVectors = documents.map((document) => ({
    ...document,
    chunks: document.chunks.map((chunk) => ({ ...chunk, vector: model.vectorOf(chunk.text) })),
  }));
  await fill(store, withVectors);
  const topics = new Rng(7)
    .shuffle(texts)
    .map((text) => [...text.matchAll(/[A-Z][^.\n]{40,120}\./g)].map(([sentence]) => sentence))
    .filter((sentences) => sentences.length >= 3)
    .slice(0, numTopics);
  const vectors = new Map(topics.flat().map((question) => [question, model.vectorOf(question)]));
  return {
    topics,
    embedder: { model: embedding.model, embed: async (asked) => asked.map((text) => vectors.get(text)!) },
  };
}

/** Places from 0, the one at i drawn 1 / (i + 1) as often as the first. */
function zipf(rng: Rng): number {
  let left = rng.uniform() * harmonic;
  for (let i = 0; ; i++) {
    left -= 1 / (i + 1);
    if (left <= 0 || i === numTopics - 1) return i;
  }
}
const harmonic = Array.from({ length: numTopics }, (_, i) => 1 / (i + 1)).reduce((sum, share) => sum + share, 0);

/** Of each question in both, asked by turns; each of them comes first every second time. */
async function bothTimes(
  questions: readonly string[],
  cold: Store,
  hot: Store,
  embedder: QueryEmbedder,
): Promise<[cold: Times[], hot: Times[]]> {
  const times: [Times[], Times[]] = [[], []];
  for (const [i, question] of questions.entries()) {
    for (const at of i % 2 === 0 ? [0, 1] : [1, 0]) {
      const options = { store: at === 0 ? cold : hot, embedder, fusion: fusions["min-max"], limit: 8 };
      times[at]!.push(await timesOf(() => retrieve(question, options)));
    }
  }
  return times;
}
