/** @file Sharpens or flattens the distribution. */

import { ConfigError } from "../../../base/errors.js";
import type { CandidateFilter } from "./filter.js";

export const temperature: CandidateFilter = {
  name: "temperature",
  open({ temperature: value = 0 }) {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
      throw new ConfigError(`temperature must be 0 or more, got ${value}`);
    // the sampler takes the largest logit at 0 and never comes here
    return value === 0 || value === 1 ? undefined : (candidates) => candidates.divideLogits(value);
  },
};
