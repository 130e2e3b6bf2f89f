/**
 * @file Near to the question and unlike what is taken already: maximal marginal relevance (Carbonell and Goldstein 1998,
 * "The use of MMR, diversity-based reranking", section 2).
 */

import { allowed, type Selection, takeBest } from "./selection.js";

/** Weight of nearness to the question; the rest is that of not repeating. */
const RELEVANCE = 0.7;

export const mmr: Selection = {
  name: "mmr",
  select: (request) => {
    const { similarity, question, count } = request;
    const near = similarity.toQuestion(question);
    return takeBest(allowed(request), count, (index, taken) => {
      const repeated = taken.reduce((most, other) => Math.max(most, similarity.toCandidate(other)[index]!), 0);
      return RELEVANCE * near[index]! - (1 - RELEVANCE) * repeated;
    });
  },
};
