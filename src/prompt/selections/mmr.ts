/** @file Near to the question and unlike what is taken already: maximal marginal relevance, as retrieval has it. */

import { maximalMarginalRelevance } from "../../retrieval/index.js";
import { allowed, type Selection } from "./selection.js";

export const mmr: Selection = {
  name: "mmr",
  select: (request) => {
    const { similarity, question, count } = request;
    const candidates = allowed(request);
    const near = similarity.toQuestion(question);
    const taken = maximalMarginalRelevance(
      candidates.map((index) => near[index]!),
      (a, b) => similarity.toCandidate(candidates[b]!)[candidates[a]!]!,
      { count },
    );
    return taken.map(({ index }) => candidates[index]!);
  },
};
