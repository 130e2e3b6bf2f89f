/** @file Tuning runs: configuration, data, plan, job, report, replay. */

export type { Scores } from "./held-out-scores.js";
export {
  cellOf,
  type PlanCell,
  type PlannedMethod,
  type PlannedSettings,
  type PlanRequest,
  plannedShapes,
  planTable,
} from "./plan-table.js";
export { type Recipe, type RecipeName, recipes } from "./recipes/index.js";
export type { Sample } from "./samples.js";
export { type TuneConfig, type TuneSettings, tuneConfigJsonSchema, tuneSettings } from "./tune-config.js";
export type { ContextExtension } from "./tune-context.js";
export type { TuneExamples, TuneRows } from "./tune-data.js";
export { devices } from "./tune-device.js";
export { runTune, type TuneContext, type TuneEvent, tune } from "./tune-job.js";
export type { TunePlan } from "./tune-plan.js";
export { servingText } from "./tune-quantize.js";
export {
  contextText,
  onDevice,
  overfittingText,
  passesText,
  reportRows,
  reportText,
  scoreRows,
  type TuneReport,
} from "./tune-report.js";
export { type Verification, verifyTuning } from "./verify.js";
