/** @file Optimisers by name, and schedules. */
import { adafactor } from "./adafactor.js";
import { adamw } from "./adamw.js";
import { adamw8bit } from "./adamw-8bit.js";
import { lion } from "./lion.js";
import { sgd } from "./sgd.js";

export const optimizers = { adamw, adamw8bit, adafactor, lion, sgd } as const;
export type OptimizerName = keyof typeof optimizers;
export { type AdafactorOptions, adafactor } from "./adafactor.js";
export { type AdamWOptions, adamw } from "./adamw.js";
export { type AdamW8bitOptions, adamw8bit } from "./adamw-8bit.js";
export type { ElementwiseRule } from "./elementwise.js";
export { type LionOptions, lion } from "./lion.js";
export {
  type BoundUpdate,
  Optimizer,
  type OptimizerOptions,
  type OptimizerRule,
  type StateSpec,
  type StepInfo,
  stateBytes,
  statesOf,
  type Updater,
  updateBytes,
  type WholeRule,
} from "./optimizer.js";
export { learningRateAt, type Schedule, scheduleNames } from "./schedule.js";
export { type SgdOptions, sgd } from "./sgd.js";
