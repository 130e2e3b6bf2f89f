/**
 * @file Candidates that stand for the others, whatever the question: each votes for its nearest, and counts the less the more
 * of these are taken (Su et al. 2022, arXiv:2209.01975, section 2.1, by votes alone, without the model's confidence). Good for
 * few demonstrations that serve all questions, or for what to annotate.
 */

import { allowed, type Selection, takeBest } from "./selection.js";

/** Nearest candidates that each votes for, and how fast a vote fades: the paper's values. */
const NEIGHBOURS = 150;
const FADING = 10;

export const voteK: Selection = {
  name: "vote-k",
  isFixed: true,
  select: (request) => {
    const { similarity, count } = request;
    const candidates = allowed(request);
    const voters = new Map(candidates.map((index) => [index, [] as number[]]));
    const chosenBy = new Map<number, readonly number[]>();
    for (const voter of candidates) {
      const near = similarity.toCandidate(voter);
      const nearest = candidates
        .filter((index) => index !== voter && near[index]! > 0)
        .sort((a, b) => near[b]! - near[a]! || a - b)
        .slice(0, NEIGHBOURS);
      chosenBy.set(voter, nearest);
      for (const index of nearest) voters.get(index)!.push(voter);
    }
    return takeBest(candidates, count, (index, taken) => {
      const weight = (voter: number): number =>
        FADING ** -taken.filter((other) => chosenBy.get(voter)!.includes(other)).length;
      return voters.get(index)!.reduce((sum, voter) => sum + weight(voter), 0);
    });
  },
};
