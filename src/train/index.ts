/** @file Training: one loop, its optimisers and its data. */
export { batchOf, type PackedDataset, packDocuments, type TokenDocument } from "./data/packing.js";
export { Evaluation } from "./evaluate.js";
export {
  type StepReport,
  type TrainContext,
  type TrainData,
  type TrainEvent,
  type TrainOptions,
  type TrainSummary,
  train,
} from "./loop.js";
export * from "./optim/index.js";
export type { RunFolder } from "./run-folder.js";
export {
  type LabelledSequence,
  labellingTask,
  type PaddedRows,
  padRows,
  type StageTask,
  type StageTrainContext,
  type StageTrainEvent,
  type StageTrainOptions,
  type StageTrainSummary,
  type StageTrainWork,
  type TaskShape,
  type TextPair,
  textToTextTask,
  trainStages,
} from "./stage-trainer.js";
