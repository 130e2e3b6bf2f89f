/** @file What most programs need; every part has a subpath of its own. */

export * from "./base/errors.js";
export type { HostTensor } from "./base/host-tensor.js";
export { type GenerateOptions, Generator, type WeightFormat, Weights } from "./engine/index.js";
export {
  runUp,
  type UpEvent,
  type UpOptions,
  type UpPlan,
  type UpReport,
  up,
} from "./pipeline/index.js";
export { type LoadedModel, loadModel, type OpenedModel, openModel } from "./presets/index.js";
export { Runtime, type RuntimeOptions } from "./runtime/index.js";
export { packDocuments, type TrainEvent, type TrainOptions, type TrainSummary, train } from "./train/index.js";
