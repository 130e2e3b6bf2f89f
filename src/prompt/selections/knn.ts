/** @file The candidates nearest to the question (KATE, Liu et al. 2021, arXiv:2101.06804, algorithm 1). */

import { allowed, type Selection } from "./selection.js";

export const knn: Selection = {
  name: "knn",
  select: (request) => {
    const near = request.similarity.toQuestion(request.question);
    return allowed(request)
      .sort((a, b) => near[b]! - near[a]! || a - b)
      .slice(0, request.count);
  },
};
