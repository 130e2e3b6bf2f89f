/** @file Weighted sums of scores, each list from 0 for its lowest to 1 for its highest. */
import { range, scoreFusion } from "./scores.js";

export const minMax = scoreFusion("min-max", range);
