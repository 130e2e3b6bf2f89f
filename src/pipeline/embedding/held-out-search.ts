/** @file How well an encoder finds the passages of held-out queries. */

import { z } from "zod";
import type { TextPair } from "../../datasets/index.js";
import { embedTexts, type LoadedEncoder } from "../../presets/index.js";
import type { Runtime } from "../../runtime/index.js";

/** Queries that are searched for at most, and passages that they are searched among: those of the queries first. */
const MOST_QUERIES = 500;
const MOST_PASSAGES = 3000;
const BATCH_TOKENS = 4096;

export const searchReportSchema = z.object({
  /** Share of the queries whose passage is among the first ten. */
  recallAt10: z.number(),
  /** Mean of 1 / rank of the passage. */
  mrr: z.number(),
  numQueries: z.int(),
  numPassages: z.int(),
});

export type SearchReport = Readonly<z.output<typeof searchReportSchema>>;

/**
 * Ranks the passages of held-out pairs, their negatives and passages of training pairs by cosine. A passage as near as the
 * right one counts as nearer.
 */
export class HeldOutSearch {
  readonly #queries: readonly string[];
  readonly #passages: readonly string[];
  /** Place of each query's passage. */
  readonly #right: readonly number[];

  constructor(
    private readonly runtime: Runtime,
    private readonly loaded: LoadedEncoder,
    heldOut: readonly TextPair[],
    train: readonly TextPair[],
  ) {
    const asked = heldOut.slice(0, MOST_QUERIES);
    const passages = [
      ...asked.map(({ positive }) => positive),
      ...heldOut.flatMap(({ positive, negatives }) => [positive, ...negatives]),
      ...train.map(({ positive }) => positive),
    ];
    this.#passages = [...new Set(passages)].slice(0, MOST_PASSAGES);
    const places = new Map(this.#passages.map((passage, place) => [passage, place]));
    this.#queries = asked.map(({ query }) => query);
    this.#right = asked.map(({ positive }) => places.get(positive)!);
  }

  async measure(): Promise<SearchReport> {
    const queries = await this.#embed(this.#queries, "query");
    const passages = await this.#embed(this.#passages, "passage");
    const ranks = queries.map((query, i) => rankOf(query, passages, this.#right[i]!));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      recallAt10: mean(ranks.map((rank) => Number(rank <= 10))),
      mrr: mean(ranks.map((rank) => 1 / rank)),
      numQueries: queries.length,
      numPassages: passages.length,
    };
  }

  #embed(texts: readonly string[], kind: "query" | "passage"): Promise<Float32Array[]> {
    const { prompts, maxTokens } = this.loaded;
    const prompted = texts.map((text) => prompts[kind] + text);
    // texts that are too long have been refused or noted when the pairs were read
    return embedTexts(this.runtime, this.loaded, prompted, { batchSize: 64, batchTokens: BATCH_TOKENS, maxTokens });
  }
}

function rankOf(query: Float32Array, passages: readonly Float32Array[], right: number): number {
  const score = cosine(query, passages[right]!);
  return passages.reduce((rank, passage, i) => rank + Number(i !== right && cosine(query, passage) >= score), 1);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let j = 0; j < a.length; j++) {
    dot += a[j]! * b[j]!;
    aa += a[j]! * a[j]!;
    bb += b[j]! * b[j]!;
  }
  return dot / Math.sqrt(Math.max(aa * bb, Number.MIN_VALUE));
}
