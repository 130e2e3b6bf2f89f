/** @file Ranked lists scored: recall at 1 and 5, and mean reciprocal rank. */

import type { Embedder } from "../../src/embed/index.js";
import { type Fusion, fusions, type ScoredKey } from "../../src/retrieval/index.js";
import { TextIndex } from "../../src/retrieval/text-index.js";
import type { RetrievalSet } from "./retrieval-sets.js";

/** Entries of each list that a fusion sees, as in the index. */
const DEPTH = 100;

export interface SearchScores {
  /** Mean share of the answer that is in the first; and in the first five. */
  readonly recall1: number;
  readonly recall5: number;
  /** Mean of 1 / rank of the first passage with a part of the answer. */
  readonly mrr: number;
}

type Ranked = readonly ScoredKey<number>[];

/** The lists of BM25 and of an embedder for each query. */
export interface Searches {
  readonly text: readonly Ranked[];
  readonly vector: readonly Ranked[];
}

export async function search({ passages, queries }: RetrievalSet, embedder: Embedder): Promise<Searches> {
  const index = new TextIndex(passages);
  const vectors = await embedder.embed(passages, "passage");
  const asked = await embedder.embed(queries, "query");
  return {
    text: queries.map((query) => index.rank(query)),
    vector: asked.map((query) =>
      vectors.map((vector, key) => ({ key, score: dot(query, vector) })).sort((a, b) => b.score - a.score),
    ),
  };
}

/** Both lists as one. `weight` is that of the vectors; BM25 has 1. */
export function fused({ text, vector }: Searches, name: keyof typeof fusions, weight: number): Ranked[] {
  const fusion: Fusion = fusions[name];
  return text.map((list, i) => fusion.fuse([list.slice(0, DEPTH), vector[i]!.slice(0, DEPTH)], [1, weight]));
}

export function scoresOf({ right }: RetrievalSet, lists: readonly Ranked[]): SearchScores {
  const found = lists.map((list, i) => {
    const shares = list.map(({ key }) => right[i]!.get(key) ?? 0);
    const first = shares.findIndex((share) => share > 0);
    const sum = (count: number): number => shares.slice(0, count).reduce((total, share) => total + share, 0);
    return { recall1: sum(1), recall5: sum(5), mrr: first < 0 ? 0 : 1 / (first + 1) };
  });
  const mean = (score: keyof SearchScores): number => found.reduce((sum, one) => sum + one[score], 0) / found.length;
  return { recall1: mean("recall1"), recall5: mean("recall5"), mrr: mean("mrr") };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
