/** @file Ways to train by name. */
import { backprop } from "./backprop.js";
import { lomo } from "./lomo.js";
import { mezo } from "./mezo.js";

export const algorithms = { backprop, lomo, mezo } as const;
export type AlgorithmName = keyof typeof algorithms;
export type { GradientUse, Trainer, TrainingAlgorithm } from "./algorithm.js";
export { backprop } from "./backprop.js";
export { type LomoOptions, lomo } from "./lomo.js";
export { type MezoOptions, mezo } from "./mezo.js";
