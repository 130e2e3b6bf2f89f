/** @file Share of texts that the schema of the output allows though nothing made them so. */

import { type Metric, meanOver } from "./metric.js";

export const validJson: Metric = {
  name: "valid-json",
  writing: "free",
  score: (pairs, { parse }) => ({ "valid-json": meanOver(pairs, ({ text }) => parse?.(text) !== undefined) }),
};
