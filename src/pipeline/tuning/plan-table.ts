/** @file Memory and time of methods and lengths side by side, without running any of them. */

import { CapacityError, TesseraError } from "../../base/errors.js";
import type { LanguageModel } from "../../nn/index.js";
import { forwardFlops, type MemoryEstimate, type Precision, trainingFlops } from "../../plan/index.js";
import type { AlgorithmName, OptimizerName } from "../../train/index.js";
import { describedShapes, type FittingShape, firstWithin, type StepShape } from "../tuning-plan.js";
import { type TuneConfig, tuneSettings } from "./tune-config.js";
import { frozenFor, stepRequest, tuningFor } from "./tune-plan.js";

/** A method as configurations name it. */
export type PlannedMethod = NonNullable<TuneConfig["method"]>;

export interface PlanRequest {
  readonly methods: readonly PlannedMethod[];
  /** Positions per row. */
  readonly lengths: readonly number[];
  readonly algorithm: AlgorithmName;
  /** Share of the positions that are differentiated. Default all. */
  readonly selectedTokens?: number | undefined;
  /** Default: the algorithm's own. */
  readonly optimizer: OptimizerName | undefined;
  /** Of hidden states and residuals in memory. Default float32. */
  readonly precision?: Precision;
  readonly batchSize: number;
  readonly memoryBytes: number | undefined;
  /** Floating-point operations per second that the machine reaches in matrix products. */
  readonly flopsPerSecond: number;
}

/** What decides the shapes that are tried. */
export type PlannedSettings = Pick<
  PlanRequest,
  "algorithm" | "selectedTokens" | "optimizer" | "precision" | "batchSize"
>;

/** One cell of the table. */
export type PlanCell = { readonly method: PlannedMethod; readonly time: number } & (
  | {
      readonly fits: true;
      readonly shape: StepShape;
      readonly memory: MemoryEstimate;
      readonly secondsPerStep: number;
      readonly tokensPerSecond: number;
    }
  | { readonly fits: false; readonly reason: string; readonly neededBytes: number | undefined }
);

/** Node.js with ONNX Runtime loaded and programs compiled. */
const PROCESS_BYTES = 230 * 2 ** 20;

/** Share of a step that is not matrix products: what is elementwise, copied or waited for. Measured on Llama shapes. */
const OTHER_SHARE = 0.3;

/** Every method at every length. Weights are not read: the sizes follow from the model's configuration. */
export function planTable(base: LanguageModel, request: PlanRequest): PlanCell[] {
  return request.methods.flatMap((method) => request.lengths.map((time) => planCell(base, request, method, time)));
}

/** One method at one length. What a configuration does not allow, or a memory does not hold, is said in the cell. */
export function planCell(base: LanguageModel, asked: PlanRequest, method: PlannedMethod, time: number): PlanCell {
  try {
    return cellOf(plannedShapes(base, asked, method, time), asked, method, time);
  } catch (error) {
    if (!(error instanceof TesseraError)) throw error;
    return { method, time, fits: false, reason: error.message, neededBytes: undefined };
  }
}

/**
 * Shapes of a step from fast and large to slow and small, described as they are asked for.
 * @throws CapacityError for rows longer than the model's positions, ConfigError for settings that contradict each other.
 */
export function plannedShapes(
  base: LanguageModel,
  { algorithm, selectedTokens, optimizer, precision, batchSize }: PlannedSettings,
  method: PlannedMethod,
  time: number,
): Iterable<FittingShape> {
  if (time > base.maxPositions) throw new CapacityError(`the model has ${base.maxPositions} positions`);
  const settings = tuneSettings({
    base: "",
    data: "",
    method,
    algorithm,
    batchSize,
    ...(selectedTokens !== undefined && { selectedTokens }),
    ...(optimizer && { optimizer }),
    ...(precision && { precision }),
  });
  const tuning = tuningFor(base, settings);
  return describedShapes(stepRequest(tuning, settings, time, frozenFor(base, tuning, settings)), PROCESS_BYTES);
}

/** The first shape that fits, with its time. */
export function cellOf(
  shapes: Iterable<FittingShape>,
  { batchSize, memoryBytes, flopsPerSecond }: Pick<PlanRequest, "batchSize" | "memoryBytes" | "flopsPerSecond">,
  method: PlannedMethod,
  time: number,
): PlanCell {
  const { fitting, smallest } = firstWithin(shapes, memoryBytes);
  if (!fitting) return { method, time, fits: false, reason: "too large", neededBytes: smallest };
  const { shape, memory } = fitting;
  const micro = stepFlops(fitting) / flopsPerSecond / (1 - OTHER_SHARE);
  const secondsPerStep = (micro * batchSize) / shape.batchSize;
  const tokensPerSecond = (batchSize * time) / secondsPerStep;
  return { method, time, fits: true, shape, memory, secondsPerStep, tokensPerSecond };
}

/** Operations of a micro-batch's passes. */
function stepFlops({ request: { gradients, backwardPasses = 1 }, description }: FittingShape): number {
  const forward = forwardFlops(description);
  if (gradients === "none") return 2 * forward;
  const both = trainingFlops(description);
  return both + (backwardPasses - 1) * (both - forward);
}
