/** @file Results of evaluations of retrieval, as people read them. */
import type { ChunkTrialResult } from "../pipeline/retrieval-eval/index.js";
import { integer, table } from "./format.js";

const percent = (value: number): string => (100 * value).toFixed(1);

/** A line for each way to cut; shares in percent. */
export function trialTable(results: readonly ChunkTrialResult[]): string {
  return table(
    [
      "chunker",
      "tokens",
      "overlap",
      "chunks",
      "mean",
      "recall",
      "precision",
      "IoU",
      "best prec.",
      "chunk recall",
      "nDCG",
      "MRR",
    ],
    results.map((result) => [
      result.chunker ?? "by kind",
      integer(result.maxTokens),
      integer(result.overlapTokens),
      integer(result.numChunks),
      integer(result.meanTokens),
      ...[
        result.recall,
        result.precision,
        result.iou,
        result.bestPrecision,
        result.recallAtK,
        result.ndcg,
        result.mrr,
      ].map(percent),
    ]),
  );
}
