/** @file Tries chunkers, sizes and overlaps on documents, and says which answers most questions from a given amount of text. */
import type { EmbedTexts, TokenCounter } from "../../chunk/index.js";
import type { Document } from "../../documents/index.js";
import type { Embedder } from "../../embed/index.js";
import { type ChunkerName, chunkDocument } from "../chunk-document.js";
import {
  type LabelledQuestion,
  type PlacedChunk,
  type RetrievalScores,
  type ScoreOptions,
  scoreRetrieval,
} from "./score-retrieval.js";
import { termSearch, vectorSearch } from "./searches.js";

export interface EvaluationOptions extends ScoreOptions {
  readonly counter: TokenCounter;
  /** Searches by its vectors; without one BM25 does. */
  readonly embedder?: Embedder;
  readonly signal?: AbortSignal;
}

/** A way to cut. */
export interface ChunkTrial {
  /** Default: by the kind of each document. */
  readonly chunker?: ChunkerName;
  readonly maxTokens: number;
  readonly overlapTokens: number;
}

/** What came of it. */
export interface ChunkTrialResult extends ChunkTrial, RetrievalScores {
  readonly numChunks: number;
  /** Tokens that chunks hold on average. */
  readonly meanTokens: number;
}

/** Cuts documents in one way, and scores what questions find in them. */
export async function evaluateChunking(
  documents: readonly Document[],
  questions: readonly LabelledQuestion[],
  trial: ChunkTrial,
  options: EvaluationOptions,
): Promise<ChunkTrialResult> {
  const { counter, embedder, signal } = options;
  const embed: EmbedTexts | undefined = embedder && ((texts) => embedder.embed(texts, "passage", signal));
  const chunks: PlacedChunk[] = [];
  for (const document of documents) {
    for await (const chunk of chunkDocument(document, { ...trial, counter, ...(embed && { embed }) })) {
      signal?.throwIfAborted();
      chunks.push({ ...chunk, document: document.path });
    }
  }
  const texts = chunks.map(({ text }) => text);
  const search = embedder ? await vectorSearch(texts, embedder, signal) : termSearch(texts);
  const scores = await scoreRetrieval(chunks, search, questions, options);
  const numTokens = chunks.reduce((sum, chunk) => sum + chunk.numTokens, 0);
  return { ...trial, ...scores, numChunks: chunks.length, meanTokens: numTokens / Math.max(1, chunks.length) };
}

export interface ChunkSearchOptions extends EvaluationOptions {
  readonly trials: readonly ChunkTrial[];
  /** Called with each result as it comes. */
  readonly onResult?: (result: ChunkTrialResult) => void;
}

/**
 * Results of all trials, those with most recall first. Of equal ones the first stays first: where questions are easy, many
 * ways find all, and the other measures tell how small a passage is rather than how good.
 */
export async function searchChunking(
  documents: readonly Document[],
  questions: readonly LabelledQuestion[],
  { trials, onResult, ...options }: ChunkSearchOptions,
): Promise<ChunkTrialResult[]> {
  const results: ChunkTrialResult[] = [];
  for (const trial of trials) {
    const result = await evaluateChunking(documents, questions, trial, options);
    onResult?.(result);
    results.push(result);
  }
  return results.sort((a, b) => b.recall - a.recall);
}
