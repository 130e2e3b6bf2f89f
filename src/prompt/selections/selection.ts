/** @file What a way to choose demonstrations is. */

import type { Rng } from "../../base/rng.js";
import type { Similarity } from "../similarity.js";

export interface SelectionRequest<Question> {
  readonly similarity: Similarity<Question>;
  readonly question: Question;
  /** How many; fewer where there are not so many. */
  readonly count: number;
  /** Whether a candidate may be taken; an example is no demonstration of itself. Default: all. */
  readonly accepts?: (index: number) => boolean;
  /** Draws, for the ways that draw. */
  readonly rng: Rng;
}

/** Registered in `../index.ts`. */
export interface Selection {
  readonly name: string;
  /** Takes the same whatever the question. */
  readonly isFixed?: true;
  /** Candidates by their place, the one taken first at the front. */
  select<Question>(request: SelectionRequest<Question>): number[];
}

/** Places that may be taken. */
export const allowed = <Question>({ similarity, accepts = () => true }: SelectionRequest<Question>): number[] =>
  Array.from({ length: similarity.numCandidates }, (_, i) => i).filter((index) => accepts(index));

/** Takes `count` times the best of what is left; of equal ones the earlier. */
export function takeBest(
  candidates: readonly number[],
  count: number,
  score: (index: number, taken: readonly number[]) => number,
): number[] {
  const taken: number[] = [];
  const left = new Set(candidates);
  while (taken.length < count && left.size > 0) {
    let [best, bestScore] = [-1, Number.NEGATIVE_INFINITY];
    for (const index of left) {
      const value = score(index, taken);
      if (value > bestScore || best < 0) [best, bestScore] = [index, value];
    }
    left.delete(best);
    taken.push(best);
  }
  return taken;
}
