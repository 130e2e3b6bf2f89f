/** @file Plans: which program runs on which tile, in what order. */
export { describeTraining, type TrainDescription, type TrainPlanOptions } from "./describe.js";
export type { SequenceShape } from "./layer-graph.js";
export type { LossTile } from "./loss-head.js";
export { LossPlan, type LossPlanOptions } from "./loss-plan.js";
export { estimateMemory, type MemoryEstimate, type MemoryOptions } from "./memory.js";
export type { MicroBatch } from "./sequence-feeds.js";
export { type GradientSink, type RunOptions, TrainPlan } from "./train-plan.js";
