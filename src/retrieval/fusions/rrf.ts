/** @file Reciprocal rank fusion with weights: scores are not looked at, so lists of any measures go together. */
import { checkWeights, defaultRankOffset, fuseLists } from "../fuse.js";
import type { Fusion } from "./fusion.js";

export const rrf: Fusion = {
  name: "rrf",
  fuse(lists, weights = lists.map(() => 1)) {
    checkWeights(weights, lists.length);
    return fuseLists(
      lists,
      ({ key }) => key,
      (list, rank) => weights[list]! / (defaultRankOffset + rank),
    );
  },
};
