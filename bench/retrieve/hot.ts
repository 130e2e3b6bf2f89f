/**
 * @file A load in which some chunks are asked for much more often than others, with hot rows in memory and with as much
 * memory for pages instead; where the system has the whole index in its cache, and where it has no memory left for it.
 */

import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "../../src/base/rng.js";
import { fusions, type QueryEmbedder, retrieve, type Store, stores } from "../../src/retrieval/index.js";
import { type BenchContext, compared, type Figure } from "../bench.js";
import { dimension, quantile, TermVectors, type Times, timesOf } from "./material.js";
import { documentsOf, fill, withVectors } from "./scale.js";

const numChunks = 100_000;
const numTopics = 1000;
const numRequests = 2000;
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
    const rng = new Rng(3);
    const skewed = Array.from({ length: numRequests }, () => {
      const topic = topics[zipf(rng)]!;
      return topic[rng.below(topic.length)]!;
    });
    const first = topics.map(([question]) => question!);
    // once it is known what is hot
    const later = (times: readonly Times[]): readonly Times[] => times.slice(numRequests / 2);
    const figures: Figure[] = [];
    for (const isShort of [false, true]) {
      const before = isShort ? () => forgetFile(join(folder, "index.sqlite")) : () => {};
      const where = isShort ? "from the disk" : "from the system's cache";
      await using paged = await stores.sqlite.open(folder, { embedding, hotBytes: 0 });
      await using hot = await stores.sqlite.open(folder, { embedding });
      const [evenPaged, evenHot] = await bothTimes(first, paged, hot, { embedder, before });
      const [skewedPaged, skewedHot] = await bothTimes(skewed, paged, hot, { embedder, before });
      figures.push(
        ...besidePaged(`each question once, ${where}`, evenPaged, evenHot),
        ...besidePaged(
          `skewed load, ${where}`,
          later(skewedPaged),
          later(skewedHot),
          isShort ? { atMost: 0.7 } : undefined,
        ),
      );
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param goal of the 95th percentile of latency. */
function besidePaged(
  name: string,
  paged: readonly Times[],
  hot: readonly Times[],
  goal?: { readonly atMost: number },
): Figure[] {
  const figure = (of: keyof Times, share: number, held?: { readonly atMost: number }): Figure => {
    const [ours, peer] = [hot, paged].map((times) =>
      quantile(
        times.map((one) => one[of]),
        share,
      ),
    );
    const what = share === 0.5 ? "median" : `p${100 * share}`;
    return compared(`${name}, ${of}, ${what}`, "ms", ours!, { value: peer!, name: "pages alone" }, held);
  };
  return [figure("latency", 0.5), figure("latency", 0.95, goal), figure("processor", 0.5), figure("processor", 0.95)];
}

async function makeIndex(folder: string): Promise<Load> {
  const documents = documentsOf(numChunks);
  const texts = documents.flatMap(({ chunks }) => chunks.map(({ text }) => text));
  const model = new TermVectors(texts);
  await using store = await stores.sqlite.open(folder, { embedding });
  await fill(store, withVectors(documents, model));
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

/** Makes the system let go of the pages of a file that it has in memory. */
function forgetFile(path: string): void {
  execFileSync("dd", [`if=${path}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
}

/** Of each question in both, asked by turns; each of them comes first every second time. */
async function bothTimes(
  questions: readonly string[],
  paged: Store,
  hot: Store,
  { embedder, before }: { readonly embedder: QueryEmbedder; readonly before: () => void },
): Promise<[paged: Times[], hot: Times[]]> {
  const times: [Times[], Times[]] = [[], []];
  for (const [i, question] of questions.entries()) {
    for (const at of i % 2 === 0 ? [0, 1] : [1, 0]) {
      before();
      const options = { store: at === 0 ? paged : hot, embedder, fusion: fusions["min-max"], limit: 8 };
      times[at]!.push(await timesOf(() => retrieve(question, options)));
    }
  }
  return times;
}
