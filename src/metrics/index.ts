/** @file Metrics of what models write, by name: a line here makes one known. Measures of what retrieval finds. */

import { choiceAccuracy } from "./choice-accuracy.js";
import { exactMatch } from "./exact-match.js";
import { fieldAccuracy } from "./field-accuracy.js";
import { objectMatch } from "./object-match.js";
import { tokenF1 } from "./token-f1.js";
import { validJson } from "./valid-json.js";

export type { Metric, MetricTask, Pair, Writing } from "./metric.js";
export { ndcgAt, recallAt, reciprocalRank } from "./ranking.js";
export {
  bestPrecision,
  type DocumentSpan,
  type Measure,
  overlaps,
  type SpanOverlap,
  spanOverlap,
} from "./span-overlap.js";

export const metrics = {
  "exact-match": exactMatch,
  "token-f1": tokenF1,
  "choice-accuracy": choiceAccuracy,
  "valid-json": validJson,
  "object-match": objectMatch,
  "field-accuracy": fieldAccuracy,
} as const;

export type MetricName = keyof typeof metrics;
