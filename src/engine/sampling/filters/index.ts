/** @file Steps that narrow what may be drawn, in the order in which they run. */

import type { CandidateFilter } from "./filter.js";
import { minP } from "./min-p.js";
import { temperature } from "./temperature.js";
import { topK } from "./top-k.js";
import { topP } from "./top-p.js";
import { typicalP } from "./typical-p.js";

export const candidateFilters = { temperature, topK, topP, minP, typicalP } as const satisfies Readonly<
  Record<string, CandidateFilter>
>;
