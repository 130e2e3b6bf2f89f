/** @file Only tokens whose surprise is near the expected one. */

import { ConfigError } from "../../../base/errors.js";
import type { CandidateFilter } from "./filter.js";

export const typicalP: CandidateFilter = {
  name: "typicalP",
  open({ typicalP: p = 1 }) {
    if (!(p > 0 && p <= 1)) throw new ConfigError(`typicalP must be above 0 and at most 1, got ${p}`);
    if (p === 1) return undefined;
    return (candidates) => {
      const { logits, size } = candidates;
      const weights = candidates.weights();
      const total = candidates.totalWeight();
      // -log p(x) = log Σ w - (logit - largest); the constants fall out of surprise minus entropy
      let expected = 0;
      for (let i = 0; i < size; i++) expected += (weights[i]! / total) * logits[i]!;
      const keys = new Float64Array(size);
      for (let i = 0; i < size; i++) keys[i] = -Math.abs(logits[i]! - expected);
      candidates.keepMass(p, keys);
    };
  },
};
