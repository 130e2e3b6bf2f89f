/** @file Ways to fuse ranked lists, by name. A line here makes one known and tests it. */
import { minMax } from "./min-max.js";
import { rrf } from "./rrf.js";
import { zScore } from "./z-score.js";

export type { Fusion, ScoredKey } from "./fusion.js";

export const fusions = { rrf, "min-max": minMax, "z-score": zScore } as const;
