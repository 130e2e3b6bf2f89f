/** @file How well a search over chunks finds what questions ask for, as means over a labelled set. */
import type { Chunk } from "../../chunk/index.js";
import {
  bestPrecision,
  type DocumentSpan,
  type Measure,
  ndcgAt,
  overlaps,
  recallAt,
  reciprocalRank,
  spanOverlap,
} from "../../metrics/index.js";

/** A question and the stretches of the documents that answer it. */
export interface LabelledQuestion {
  readonly question: string;
  readonly references: readonly DocumentSpan[];
}

/** A chunk and the document it is of. */
export type PlacedChunk = Chunk & { readonly document: string };

/** Places of the best chunks in a list, best first. */
export type Search = (question: string, limit: number) => Promise<readonly number[]>;

export interface ScoreOptions {
  /** Chunks that are retrieved. Default 5. */
  readonly k?: number;
  /** Retrieve as many of the best as this amount of text holds, parents in full, instead of `k`; at least one. */
  readonly budget?: { readonly tokens: number; readonly count: Measure };
  /** How much text is. Default by code units. */
  readonly measure?: Measure;
}

/** Means over questions, each from 0 to 1. */
export interface RetrievalScores {
  /** Of the text of the references, in what was retrieved: chunks, or their parents where they have some. */
  readonly recall: number;
  readonly precision: number;
  readonly iou: number;
  /** What precision would be if just the chunks were retrieved that hold anything of the references. */
  readonly bestPrecision: number;
  /** Of the chunks that hold anything of the references. */
  readonly recallAtK: number;
  /** The gain of a chunk is how much of the references it holds. */
  readonly ndcg: number;
  readonly mrr: number;
}

/** How far down a ranking the first right chunk is looked for, and what a budget holds. */
const MAX_DEPTH = 100;

/** Asks every question and compares what is found with its references. No questions give 0. */
export async function scoreRetrieval(
  chunks: readonly PlacedChunk[],
  search: Search,
  questions: readonly LabelledQuestion[],
  options: ScoreOptions = {},
): Promise<RetrievalScores> {
  const sum = { recall: 0, precision: 0, iou: 0, bestPrecision: 0, recallAtK: 0, ndcg: 0, mrr: 0 };
  for (const { question, references } of questions) {
    const ranking = await search(question, MAX_DEPTH);
    const scores = scoreOne(
      chunks,
      ranking.map((place) => chunks[place]!),
      references,
      options,
    );
    for (const name of Object.keys(sum) as (keyof RetrievalScores)[]) sum[name] += scores[name] / questions.length;
  }
  return sum;
}

function scoreOne(
  chunks: readonly PlacedChunk[],
  ranking: readonly PlacedChunk[],
  references: readonly DocumentSpan[],
  { k = 5, budget, measure }: ScoreOptions,
): RetrievalScores {
  const isRight = (chunk: DocumentSpan): boolean => references.some((reference) => overlaps(reference, chunk));
  const gain = (chunk: DocumentSpan): number => spanOverlap(references, [chunk], measure).recall;
  const right = chunks.filter(isRight);
  const depth = budget === undefined ? k : numWithin(ranking, budget);
  const flags = ranking.map(isRight);
  return {
    ...spanOverlap(references, passagesOf(ranking.slice(0, depth)), measure),
    bestPrecision: bestPrecision(references, passagesOf(right), measure),
    recallAtK: recallAt(depth, flags, right.length),
    ndcg: ndcgAt(depth, ranking.slice(0, depth).map(gain), right.map(gain)),
    mrr: reciprocalRank(flags),
  };
}

function numWithin(ranking: readonly PlacedChunk[], { tokens, count }: NonNullable<ScoreOptions["budget"]>): number {
  const shown = new Set<string>();
  let total = 0;
  for (const [i, chunk] of ranking.entries()) {
    const [passage] = passagesOf([chunk]);
    const key = `${passage!.start} ${passage!.end} ${passage!.document}`;
    if (!shown.has(key)) total += count(passage!);
    shown.add(key);
    if (total > tokens) return Math.max(1, i);
  }
  return ranking.length;
}

/** What a reader is shown for chunks: each chunk, or its parent, once. */
function passagesOf(chunks: readonly PlacedChunk[]): DocumentSpan[] {
  const shown = chunks.map(({ document, start, end, parent }) => ({ document, ...(parent ?? { start, end }) }));
  return [...new Map(shown.map((span) => [`${span.start} ${span.end} ${span.document}`, span])).values()];
}
