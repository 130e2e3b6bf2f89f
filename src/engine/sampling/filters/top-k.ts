/** @file Only the k largest. */

import { ConfigError } from "../../../base/errors.js";
import type { CandidateFilter } from "./filter.js";

export const topK: CandidateFilter = {
  name: "topK",
  open({ topK: k }) {
    if (k === undefined) return undefined;
    if (!(Number.isInteger(k) && k >= 1)) throw new ConfigError(`topK must be a whole number from 1, got ${k}`);
    return (candidates) => candidates.keepLargest(k);
  },
};
