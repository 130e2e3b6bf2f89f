/** @file Only tokens that are not much less likely than the likeliest. */

import { checkRange } from "../processors/processor.js";
import type { CandidateFilter } from "./filter.js";

export const minP: CandidateFilter = {
  name: "minP",
  open({ minP: p = 0 }) {
    checkRange("minP", p, 0, 1);
    // p(x) >= minP · p(max) is a bound on the distance of logits
    return p === 0 ? undefined : (candidates) => candidates.keepFrom(candidates.largestLogit() + Math.log(p));
  },
};
