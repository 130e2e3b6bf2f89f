/** @file Plans: which program runs on which tile, in what order. */
export { type AttentionTiles, attentionTileCandidates, fastestTiles } from "./attention-tiles.js";
export { describeTraining, numSelected, type TrainDescription, type TrainPlanOptions } from "./describe.js";
export { COTANGENT, contrastiveChain, cotangentChain, EMBEDDINGS, embed, embeddingChain } from "./embed.js";
export { type Encoded, type EncodeOptions, type EncoderBatch, type EncoderShape, encode } from "./encoder.js";
export { lossChain, shiftRight, teacherForcedLogits } from "./encoder-decoder.js";
export {
  EncoderDecoderGenerator,
  type GenerateIdsOptions,
  likeliest,
  type TokenChoice,
} from "./encoder-decoder-generator.js";
export { lossStage, predict, predictionChain } from "./encoder-heads.js";
export { forwardFlops, graphFlops, trainingFlops } from "./flops.js";
export { type ForwardInput, type ForwardOptions, type ForwardResult, forward } from "./forward.js";
export { type InBatchOptions, inBatchLoss } from "./in-batch-loss.js";
export type { SequenceShape } from "./layer-graph.js";
export type { LossTile } from "./loss-head.js";
export { LossPlan, type LossPlanOptions } from "./loss-plan.js";
export { measureFlops } from "./machine.js";
export { estimateForward, estimateMemory, type MemoryEstimate, type MemoryOptions } from "./memory.js";
export { type Precision, precisions } from "./precision.js";
export type { MicroBatch } from "./sequence-feeds.js";
export { StagePlan, type StagePlanOptions, type StageRunOptions } from "./stage-plan.js";
export { runStages, type Stage } from "./stages.js";
export { type GradientSink, type RunOptions, TrainPlan } from "./train-plan.js";
export { type WholeGradient, wholeGradient } from "./whole-gradient.js";
export { wholeLoss } from "./whole-loss.js";
