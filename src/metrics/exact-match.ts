/** @file Share of texts that are, white space around them apart, what the data say. */

import { isSame, type Metric, meanOver } from "./metric.js";

export const exactMatch: Metric = {
  name: "exact-match",
  writing: "free",
  score: (pairs) => ({ "exact-match": meanOver(pairs, isSame) }),
};
