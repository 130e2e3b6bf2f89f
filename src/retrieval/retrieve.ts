/** @file A question to passages: several searches fused, reranked, spread out and packed, with what each step said. */
import { ConfigError } from "../base/errors.js";
import { type Fusion, fusions } from "./fusions/index.js";
import { range, scale } from "./fusions/scores.js";
import { maximalMarginalRelevance, similarityOf } from "./mmr.js";
import { type PackedContext, type PackOptions, packContext } from "./pack.js";
import type { Reranker } from "./rerankers/reranker.js";
import type { Rewrite } from "./rewrite.js";
import type { Query, RankedKey, Store, StoredChunk } from "./stores/store.js";

/** The part of an embedder that searching needs. */
export interface QueryEmbedder {
  /** That of the index. */
  readonly model: string;
  /** Unit-length vectors. */
  embed(texts: readonly string[], kind: "query", signal?: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface RetrieveOptions extends Pick<Query, "paths" | "filter"> {
  readonly store: Store;
  /** Searches by meaning too. Needs an index with vectors of this embedder. */
  readonly embedder?: QueryEmbedder;
  /** What is searched. Default hybrid with an embedder, text without. */
  readonly by?: "text" | "vector" | "hybrid";
  /** Passages that are returned. Default 10. */
  readonly limit?: number;
  /** Passages of each search that go into the fusion. Default 50: one that is middling in two lists can beat the first of one. */
  readonly depth?: number;
  /** Other questions that are searched beside the one given. */
  readonly rewrite?: Rewrite;
  /**
   * Default: by ranks (RRF) for one question, by scores (min-max) for several, where the many lists that agree on middling
   * passages outvote the one that has a part's answer: of 300 pairs of XQuAD questions asked as one, both paragraphs are
   * among the best five for 0.96 by scores, 0.93 by a single search and 0.44 by ranks.
   */
  readonly fusion?: Fusion;
  /** How much each kind of list counts. Default 1 and 1. */
  readonly weights?: { readonly text: number; readonly vector: number };
  /** Scores the best `depth` passages again; the others are dropped, because scores of the two are not comparable. */
  readonly reranker?: Reranker;
  /** Prefers passages that say something new. `lambda` is the weight of relevance. */
  readonly mmr?: { readonly lambda?: number };
  /** Puts the passages together for a prompt. */
  readonly pack?: PackOptions;
  readonly signal?: AbortSignal;
}

/** A place in a list, from 1, and the score there. */
export interface Ranked {
  readonly rank: number;
  readonly score: number;
}

/** How a passage came to its place. */
export interface Trace {
  /** The searches that found it. */
  readonly found: readonly (Ranked & { readonly question: string; readonly by: "text" | "vector" })[];
  readonly fused: Ranked;
  readonly reranked?: Ranked;
  /** By maximal marginal relevance. */
  readonly spread?: Ranked;
}

export interface Passage {
  readonly chunk: StoredChunk;
  /** The reranker's where there is one, else the fused one. Comparable within one call. */
  readonly score: number;
  readonly trace: Trace;
}

export interface Retrieved {
  /** The one given, then its rewrites. */
  readonly questions: readonly string[];
  /** Best first. */
  readonly passages: readonly Passage[];
  /** With the option `pack`. */
  readonly packed?: PackedContext;
}

/**
 * The passages of an index that answer a question best.
 * @throws ConfigError when limit or depth is no whole number from 1, or the embedder is not that of the index. Errors of
 * store, embedder, rewriter, reranker and packing pass through.
 */
export async function retrieve(question: string, options: RetrieveOptions): Promise<Retrieved> {
  const { limit = 10, depth = 50, pack } = options;
  checkOptions(options, { limit, depth });
  const rewrites = (await options.rewrite?.(question, options.signal)) ?? [];
  const questions = [...new Set([question, ...rewrites])];
  const searches = await searchesOf(questions, Math.max(depth, limit), options);
  // what is not looked at again need not be read
  const numRead = options.reranker ? depth : options.mmr ? undefined : limit;
  const found = await options.store.search(
    searches.map(({ query }) => query),
    (lists) => fuseSearches(searches, lists, options).slice(0, numRead),
  );
  const fused = found.map(({ chunk, score, trace }) => ({ chunk, score, trace }));
  const reranked = await rerank(question, fused, options);
  const passages = spread(reranked, limit, options.mmr);
  const packed = pack === undefined ? undefined : await packContext(passages, pack);
  return { questions, passages, ...(packed !== undefined && { packed }) };
}

interface Search {
  readonly question: string;
  readonly by: "text" | "vector";
  readonly query: Query;
}

const kindOf = ({ by, embedder }: RetrieveOptions): "text" | "vector" | "hybrid" =>
  by ?? (embedder === undefined ? "text" : "hybrid");

function checkOptions(options: RetrieveOptions, counts: { readonly limit: number; readonly depth: number }): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new ConfigError(`retrieving: ${name} must be a whole number from 1, got ${count}`);
    }
  }
  const { store, embedder } = options;
  if (kindOf(options) === "text") return;
  if (embedder === undefined) throw new ConfigError("retrieving: a search by vector needs an embedder, got none");
  if (store.embedding?.model === embedder.model) return;
  const has = store.embedding === undefined ? "has no vectors" : `has vectors of ${store.embedding.model}`;
  throw new ConfigError(
    `retrieving: the embedder is ${embedder.model}, but the index ${has}; use its embedder, search by text, or index again`,
  );
}

async function searchesOf(questions: readonly string[], limit: number, options: RetrieveOptions): Promise<Search[]> {
  const { embedder, paths, filter, signal } = options;
  const kind = kindOf(options);
  const vectors = kind === "text" ? [] : await embedder!.embed(questions, "query", signal);
  signal?.throwIfAborted();
  const common = { limit, ...(paths !== undefined && { paths }), ...(filter !== undefined && { filter }) };
  return questions.flatMap((question, i): Search[] => [
    ...(kind === "vector" ? [] : [{ question, by: "text" as const, query: { ...common, text: question } }]),
    ...(kind === "text" ? [] : [{ question, by: "vector" as const, query: { ...common, vector: vectors[i]! } }]),
  ]);
}

/** A passage that is not read yet. */
interface Found extends Omit<Passage, "chunk"> {
  readonly key: number;
}

function fuseSearches(
  searches: readonly Search[],
  lists: readonly (readonly RankedKey[])[],
  options: RetrieveOptions,
): Found[] {
  const isOneQuestion = new Set(searches.map(({ question }) => question)).size === 1;
  const { fusion = isOneQuestion ? fusions.rrf : fusions["min-max"], weights } = options;
  const fused = fusion.fuse(lists, weights && searches.map(({ by }) => weights[by]));
  return fused.map(({ key, score, ranks }, i) => ({
    key,
    score,
    trace: {
      found: searches.flatMap(({ question, by }, list) => {
        const rank = ranks[list];
        return rank === undefined ? [] : [{ question, by, rank, score: lists[list]![rank - 1]!.score }];
      }),
      fused: { rank: i + 1, score },
    },
  }));
}

/** In the order of the reranker. */
async function rerank(
  question: string,
  passages: readonly Passage[],
  { reranker, signal }: RetrieveOptions,
): Promise<readonly Passage[]> {
  if (reranker === undefined || passages.length === 0) return passages;
  // a section's title says what its passages are about
  const texts = passages.map(({ chunk }) => [...chunk.headingPath, chunk.text].join("\n"));
  const scores = await reranker.score(question, texts, signal);
  return passages
    .map((passage, i) => ({ ...passage, score: scores[i]! }))
    .sort((a, b) => b.score - a.score)
    .map((passage, i) => ({
      ...passage,
      trace: { ...passage.trace, reranked: { rank: i + 1, score: passage.score } },
    }));
}

function spread(passages: readonly Passage[], limit: number, mmr: RetrieveOptions["mmr"]): readonly Passage[] {
  if (mmr === undefined) return passages.slice(0, limit);
  const relevance = scale(
    passages.map(({ score }) => score),
    range,
  );
  const similarity = similarityOf(passages.map(({ chunk }) => chunk));
  return maximalMarginalRelevance(relevance, similarity, { count: limit, ...mmr }).map(({ index, score }, i) => {
    const { trace, ...passage } = passages[index]!;
    return { ...passage, trace: { ...trace, spread: { rank: i + 1, score } } };
  });
}
