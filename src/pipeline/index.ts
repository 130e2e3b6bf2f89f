/** @file Whole jobs: from documents to an index and a tuned model. */

export type { AdapterFolder } from "./adapter-models.js";
export { ChatSession } from "./chat-session.js";
export { buildDataset, type DatasetOptions, type DatasetReport } from "./dataset/build-dataset.js";
export {
  type EmbeddingConfig,
  type EmbeddingContext,
  type EmbeddingEvent,
  type EmbeddingReport,
  tuneEmbedding,
} from "./embedding/index.js";
export type { Asked, AskOptions } from "./knowledge-base/answer.js";
export { Dialogue, type Exchange } from "./knowledge-base/dialogue.js";
export {
  type HotChunk,
  type IndexReport,
  KnowledgeBase,
  type KnowledgeBaseOptions,
  type SyncingOptions,
} from "./knowledge-base/knowledge-base.js";
export type { IndexSettings } from "./knowledge-base/settings.js";
export type { Summary, SummaryOptions } from "./knowledge-base/summary.js";
export { type ReadingModelOptions, ResultFile, readingModel } from "./reading-model.js";
export { type SavedRequest, SavedText } from "./saved-text.js";
export type { SpeculationChoice } from "./speculation.js";
export { openTextProcess, type RestartOptions, type TextProcess } from "./text-process/open.js";
export type { TextProcessOptions } from "./text-process/protocol.js";
export {
  type LocalTextService,
  type OpenTextService,
  openTextService,
  type TextServiceOptions,
} from "./text-service.js";
export type { TuningMethod } from "./tune.js";
export type { TuningPlan } from "./tuning-plan.js";
export { runUp, type UpEvent, type UpOptions, type UpPlan, type UpReport, type UpResult, up } from "./up.js";
