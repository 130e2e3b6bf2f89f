/** @file Weighted sums of scores in standard deviations of their list above its lowest: one far outlier counts for more. */
import { deviation, scoreFusion } from "./scores.js";

export const zScore = scoreFusion("z-score", deviation);
