/** @file Only the fewest tokens whose probabilities reach p. */

import { ConfigError } from "../../../base/errors.js";
import type { CandidateFilter } from "./filter.js";

export const topP: CandidateFilter = {
  name: "topP",
  open({ topP: p = 1 }) {
    if (!(p > 0 && p <= 1)) throw new ConfigError(`topP must be above 0 and at most 1, got ${p}`);
    return p === 1 ? undefined : (candidates) => candidates.keepMass(p, candidates.logits);
  },
};
