/**
 * @file Fusion by scores that are brought to one scale: how far the first is ahead counts, not only that it is.
 *
 * In each list the lowest score becomes 0, as little as not being found, and the spread becomes 1. A list of equal scores is
 * all 1: being found is better than not. Source: Fox and Shaw, "Combination of multiple searches" (CombSUM), TREC-2 1994;
 * the scales are those of Montague and Aslam, "Relevance score normalization for metasearch", CIKM 2001.
 */
import { checkWeights, fuseLists } from "../fuse.js";
import type { Fusion } from "./fusion.js";

/** Sums of scores by the spread that a measure gives. */
export function scoreFusion(name: string, spread: (scores: readonly number[]) => number): Fusion {
  return {
    name,
    fuse(lists, weights = lists.map(() => 1)) {
      checkWeights(weights, lists.length);
      const scaled = lists.map((entries) =>
        scale(
          entries.map(({ score }) => score),
          spread,
        ),
      );
      return fuseLists(
        lists,
        ({ key }) => key,
        (list, rank) => weights[list]! * scaled[list]![rank - 1]!,
      );
    },
  };
}

/** Scores from 0 for the lowest, in units of their spread; all 1 where there is none. */
export function scale(scores: readonly number[], spread: (scores: readonly number[]) => number): number[] {
  const lowest = Math.min(...scores);
  const unit = spread(scores);
  return scores.map((score) => (unit > 0 ? (score - lowest) / unit : 1));
}

/** Of scores: the distance from the lowest to the highest. */
export const range = (scores: readonly number[]): number => Math.max(...scores) - Math.min(...scores);

/** Of scores: the standard deviation. */
export function deviation(scores: readonly number[]): number {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
}
