/** @file Training: one loop, its optimisers and its data. */
export * from "./algorithms/index.js";
export { cutShape, type RowShape } from "./algorithms/step-plan.js";
export { CachedGradients, type CachedGradientsOptions, type EmbeddingModel } from "./contrastive/cached-gradients.js";
export {
  type ContrastiveOptions,
  type ContrastiveWork,
  contrastiveSource,
  type TokenPair,
} from "./contrastive/contrastive-source.js";
export { InBatchLoss, type InBatchShape } from "./contrastive/in-batch-loss.js";
export { packBestFit } from "./data/best-fit.js";
export { type LengthWarmup, lengthAt, warmupLengths } from "./data/length-warmup.js";
export { describePacking, type Packer, type PackerName, type PackingReport, packers } from "./data/packers.js";
export { batchOf, type PackedDataset, packDocuments, type TokenDocument } from "./data/packing.js";
export { padDocuments } from "./data/padded.js";
export {
  curriculum,
  documentLengths,
  lengthGrouped,
  type OrderRule,
  type RowOrder,
  rowLengths,
  rowScores,
  shuffled,
} from "./data/row-order.js";
export { selectTokens } from "./data/select-tokens.js";
export { packWithVirtualTokens } from "./data/virtual-tokens.js";
export { Evaluation, rowLosses } from "./evaluate.js";
export {
  type GradientSource,
  type GradientTrainContext,
  type GradientTrainOptions,
  type StageTrainEvent,
  type StageTrainSummary,
  trainByGradients,
} from "./gradient-loop.js";
export {
  type StepReport,
  type TrainContext,
  type TrainData,
  type TrainEvent,
  type TrainOptions,
  type TrainSummary,
  train,
} from "./loop.js";
export { LossScale, type LossScaleOptions } from "./loss-scale.js";
export * from "./optim/index.js";
export { type Overfitting, overfitting } from "./overfitting.js";
export { type PhasedContext, type PhasedEvent, type TrainPhase, trainPhases } from "./phases.js";
export { type ResidentResult, ResidentStep } from "./resident-step.js";
export type { RunFolder } from "./run-folder.js";
export {
  type LabelledSequence,
  labellingTask,
  type PaddedRows,
  padRows,
  type StageTask,
  type StageTrainContext,
  type StageTrainOptions,
  type StageTrainWork,
  type TaskShape,
  type TextPair,
  textToTextTask,
  trainStages,
} from "./stage-trainer.js";
export {
  batchFeeds,
  evaluationGraph,
  NEXT,
  progressFeeds,
  type StepGraphOptions,
  trainingStepGraph,
} from "./step-graph.js";
