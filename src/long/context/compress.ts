/** @file The sentences that matter most, from all over the document. */

import { recursive, type Span, sentences } from "../../chunk/index.js";
import { rankByCentroid, rankTexts } from "../../retrieval/rank-texts.js";
import type { ContextRequest, ContextStrategy, KeptSpan } from "./context.js";
import { packed } from "./pack.js";

/**
 * Share of its neighbour's score that a sentence has besides, since answers often stand beside the question's words. Of XQuAD's
 * English articles under 128 tokens 0.930 keep the answer with it, 0.925 without, 0.915 with 0.7.
 */
const NEIGHBOUR = 0.3;

/**
 * Extractive: sentences are kept or left out whole (Li et al. 2023, arXiv:2310.06201, filter by self-information; here by the
 * words of the question, and without one by how much of what the document is about a sentence has for its length).
 */
export const compress: ContextStrategy = {
  name: "compress",
  async pack(request) {
    const units = unitsOf(request);
    if (units.length === 0 || request.budget < 1) return undefined;
    const texts = units.map(({ start, end }) => request.document.slice(start, end));
    const { question } = request;
    const asked = question === undefined ? [] : rankTexts(question, texts);
    const own = scoresOf(asked.length > 0 ? asked : rankByCentroid(texts), units.length);
    const scores = asked.length > 0 ? spread(own) : own.map((score, i) => score / Math.sqrt(texts[i]!.length));
    const spans = units.map(({ start, end }, i): KeptSpan => ({ start, end, score: scores[i]! }));
    return packed(
      request,
      spans.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score || a.start - b.start),
    );
  },
};

/** Sentences; what is too long for one, such as a table, in pieces. */
function unitsOf({ document, counter, budget, format = "markdown" }: ContextRequest): Span[] {
  const maxTokens = Math.max(Math.min(16, budget), Math.min(128, Math.floor(budget / 3)));
  return [...sentences(document)].flatMap(({ start, end }) => {
    if (counter.count(document, start, end) <= maxTokens) return [{ start, end }];
    const pieces = recursive.chunk(document.slice(start, end), { counter, maxTokens, format });
    return Array.from(pieces, (piece) => ({ start: start + piece.start, end: start + piece.end }));
  });
}

function scoresOf(ranked: readonly { readonly key: number; readonly score: number }[], count: number): number[] {
  const scores = new Array<number>(count).fill(0);
  for (const { key, score } of ranked) scores[key] = score;
  return scores;
}

const spread = (scores: readonly number[]): number[] =>
  scores.map((score, i) => score + NEIGHBOUR * Math.max(scores[i - 1] ?? 0, scores[i + 1] ?? 0));
