/** @file Optimisers by name, and schedules. */
import { adamw } from "./adamw.js";
import { sgd } from "./sgd.js";

export const optimizers = { adamw, sgd } as const;
export type OptimizerName = keyof typeof optimizers;
export { type AdamWOptions, adamw } from "./adamw.js";
export { Optimizer, type OptimizerOptions, type OptimizerRule, type StepInfo } from "./optimizer.js";
export { learningRateAt, type Schedule, scheduleNames } from "./schedule.js";
export { type SgdOptions, sgd } from "./sgd.js";
