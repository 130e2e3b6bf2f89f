/** @file Searches over chunks in memory: by terms, and by vectors. */
import type { Embedder } from "../../embed/index.js";
import { TextIndex } from "../../retrieval/text-index.js";
import { TopK } from "../../retrieval/top-k.js";
import type { Search } from "./score-retrieval.js";

/** By BM25, with the terms and the formula of the index. */
export function termSearch(texts: readonly string[]): Search {
  const index = new TextIndex(texts);
  return async (question, limit) =>
    index
      .rank(question)
      .slice(0, limit)
      .map(({ key }) => key);
}

/** By the cosine of the question's vector and the texts'. */
export async function vectorSearch(
  texts: readonly string[],
  embedder: Pick<Embedder, "embed">,
  signal?: AbortSignal,
): Promise<Search> {
  const vectors = await embedder.embed(texts, "passage", signal);
  return async (question, limit) => {
    const [asked] = await embedder.embed([question], "query", signal);
    const best = new TopK(limit);
    for (const [place, vector] of vectors.entries()) best.push(place, dot(vector, asked!));
    return best.sorted().map(({ key }) => key);
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
