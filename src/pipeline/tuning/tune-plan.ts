/** @file How a tuning run fits its memory: shape, steps and time, or the cheapest change that would fit. */

import { z } from "zod";
import { CapacityError, ConfigError, UnsupportedError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { type FrozenWeights, frozenWeights } from "../../compress/index.js";
import { countParameters, type LanguageModel, parameterSpecs } from "../../nn/index.js";
import { type Adapter, createAdapter, type MethodName, type Tuning, tuningOf } from "../../peft/index.js";
import { describeTraining } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import { type AlgorithmName, stateBytes, updateBytes } from "../../train/index.js";
import {
  type FittingShape,
  GROWTH_BYTES,
  type MemoryLimits,
  measureStep,
  megabytes,
  type StepRequest,
  shapeWithin,
  trainableParameters,
  tuningPlanSchema,
  USUAL_TILE,
} from "../tuning-plan.js";
import { LONG_ENOUGH, tilesHere } from "./known-tiles.js";
import { algorithmDefaults, algorithmOf, algorithmRate, optimizerOf } from "./tune-algorithm.js";
import { type TuneSettings, threadsOf } from "./tune-config.js";
import type { ContextExtension } from "./tune-context.js";
import { lengthWarmupOf, warmupCost } from "./tune-curriculum.js";
import type { TuneRows } from "./tune-data.js";
import { measureDeviceStep } from "./tune-device.js";
import { quantized } from "./tune-quantize.js";

export const tunePlanSchema = tuningPlanSchema.extend({
  /** Micro-batches per step. */
  accumulate: z.int(),
  /** Positions of a row that are learned from, where not all are. */
  selected: z.int().optional(),
});

export type TunePlan = z.infer<typeof tunePlanSchema>;

/** Share of a training step's time that a held-out batch of the same size takes: forward alone. */
const evaluationShare = ({ gradients, selectedTokens = 1 }: StepRequest): number =>
  gradients === "none" ? 1 / 2 : 1 / (1 + 2 * selectedTokens);

/** What settings train of a model. */
export function adapterFor(
  base: LanguageModel,
  { method, methodOptions: config, targets, alsoTrain }: TuneSettings,
  extension?: ContextExtension,
): Adapter {
  return createAdapter(base, {
    method,
    config,
    alsoTrain,
    ...(targets && { targets }),
    ...(extension && { baseConfig: extension.keys }),
  });
}

/** What settings make of a model. @throws ConfigError when what is learned and where contradict each other. */
export function tuningFor(base: LanguageModel, settings: TuneSettings): Tuning {
  const tuning = quantized(tuningOf(base, adapterFor(base, settings)), settings);
  if (tuning.numVirtualTokens > 0 && settings.selectedTokens !== undefined) {
    throw new ConfigError(
      `tuning: "${settings.method}" learns at its virtual tokens, which selectedTokens would leave out now and then; leave out one of the two`,
    );
  }
  return tuning;
}

/** What must fit. */
export function stepRequest(
  { model, isTrainable }: Pick<Tuning, "model" | "isTrainable">,
  settings: Pick<
    TuneSettings,
    | "algorithm"
    | "batchSize"
    | "optimizer"
    | "beta2"
    | "clipNorm"
    | "paging"
    | "selectedTokens"
    | "device"
    | "precision"
  >,
  time: number,
  frozen?: FrozenWeights,
): StepRequest {
  const { batchSize, clipNorm, selectedTokens, device, precision } = settings;
  const rule = optimizerOf(settings);
  const { gradients } = algorithmOf(settings);
  return {
    model,
    isTrainable,
    time,
    rowsPerStep: batchSize,
    stateBytes: (shape) => stateBytes(rule, shape),
    updateBytes: (shape) => updateBytes(rule, shape),
    ...(device !== "cpu" && { rowsAtOnce: true }),
    mayStream:
      device === "cpu" && gradients === "all" && batchSize === 1 && clipNorm === null && precision !== "float16",
    precision,
    gradients,
    paging: pagingOf(settings),
    ...(frozen && { frozen }),
    ...(selectedTokens !== undefined && { selectedTokens }),
    backwardPasses: gradients === "layer" && clipNorm !== null ? 2 : 1,
  };
}

/** Noise is added to parameters outside of programs, and the systems that map files are not all. */
function pagingOf({
  algorithm,
  paging,
  device,
}: Pick<TuneSettings, "algorithm" | "paging" | "device">): "no" | "may" | "must" {
  if (device !== "cpu") return "no";
  const isPossible = algorithmOf({ algorithm }).gradients !== "none" && process.platform !== "win32";
  if (paging && !isPossible)
    throw new ConfigError(
      `tuning: memory in files goes with gradients, on Linux and macOS; leave out paging with algorithm "${algorithm}" on ${process.platform}`,
    );
  if (paging) return "must";
  return isPossible && paging === undefined ? "may" : "no";
}

/** Forms of what is not trained; undefined where all is float32. */
export function frozenFor(
  base: LanguageModel,
  { isTrainable }: Pick<Tuning, "isTrainable">,
  { frozen }: Pick<TuneSettings, "frozen">,
): FrozenWeights | undefined {
  return frozen === "float32" ? undefined : frozenWeights(base, isTrainable, frozen);
}

/**
 * The fastest shape within the memory, found before a weight is read: it decides where they are kept.
 * @throws CapacityError with the cheapest change that would fit.
 */
export function fitTuning(
  base: LanguageModel,
  tuning: Tuning,
  time: number,
  settings: TuneSettings,
  memoryBytes: number | undefined,
): FittingShape {
  // on a device it is the device's memory that is planned, and nothing else lies there
  const processBytes = settings.device === "cpu" ? process.memoryUsage.rss() + GROWTH_BYTES : 0;
  const limits = { memoryBytes, processBytes };
  const request = stepRequest(tuning, settings, time, frozenFor(base, tuning, settings));
  const { fitting, smallest } = shapeWithin(request, limits);
  if (!fitting) throw refusal(base, settings, request, limits, smallest);
  return fitting;
}

/** The shape with the tiles of attention that are fastest here, where rows are long and memory has not decided. */
async function withFastestTiles(fitting: FittingShape, settings: TuneSettings): Promise<FittingShape> {
  const { request, shape, description } = fitting;
  const isRoomy = shape.attentionTile === USUAL_TILE && !shape.paging;
  // trials run both passes: more memory than a method without a backward pass ever needs
  if (description.options.time < LONG_ENOUGH || !isRoomy || request.gradients === "none") return fitting;
  const tiles = await tilesHere(description, threadsOf(settings));
  return {
    ...fitting,
    shape: { ...shape, ...tiles },
    description: describeTraining(description.model, { ...description.options, ...tiles }),
  };
}

/** Steps and time of a shape, measured on the real step. */
export async function planTuning(
  { runtime, device }: { readonly runtime: Runtime; readonly device: Runtime | undefined },
  tuning: Tuning,
  fitting: FittingShape,
  parameters: ReadonlyMap<string, HostTensor>,
  rows: TuneRows,
  settings: TuneSettings,
): Promise<TunePlan> {
  const chosen = device ? fitting : await withFastestTiles(fitting, settings);
  const { shape, description, memory } = chosen;
  const accumulate = settings.batchSize / shape.batchSize;
  const ms = device
    ? await measureDeviceStep(device, chosen, parameters, rows.train, settings)
    : (await measureStep(runtime, chosen, parameters, rows.train)) * accumulate;
  const rowsInAll = settings.epochs * rows.train.numRows;
  const steps = settings.steps ?? Math.max(1, Math.round(rowsInAll / settings.batchSize));
  const share = warmupCost(description, steps, lengthWarmupOf(settings.curriculum, steps, tuning));
  const heldOutRows = rows.heldOut?.numRows ?? 0;
  const evaluationMs =
    (settings.evaluations + 1) * heldOutRows * (ms / settings.batchSize) * evaluationShare(chosen.request);
  return {
    shape,
    time: rows.time,
    steps,
    accumulate,
    ...(description.selected !== undefined && { selected: description.selected }),
    learningRate: settings.learningRate ?? defaultLearningRate(tuning, settings),
    numParameters: countParameters(parameterSpecs(tuning.model)),
    numTrainable: trainableParameters(description),
    msPerStep: ms,
    predictedSeconds: (steps * ms * share + evaluationMs) / 1000,
    memory,
  };
}

/** Weights that know something are moved with care; parameters that start at nothing are not. */
function defaultLearningRate({ model, added }: Tuning, { algorithm }: TuneSettings): number {
  const ofAlgorithm = algorithmRate(algorithm, added.length > 0);
  if (ofAlgorithm !== undefined) return ofAlgorithm;
  if (added.length > 0) return 2e-4;
  return model.hiddenSize < 256 ? 1e-3 : 2e-5;
}

/** Methods that need less than the one asked for, the nearest to it first. */
export const SMALLER: readonly MethodName[] = ["lora", "lora-fa", "bitfit", "ln"];

/** Algorithms from the one that needs most memory to the one that needs least. */
export const THRIFTY: readonly AlgorithmName[] = ["backprop", "lomo", "mezo"];

/** What could be changed: shorter rows, a method that trains less, an algorithm that keeps less, or more memory. */
function refusal(
  base: LanguageModel,
  settings: TuneSettings,
  request: StepRequest,
  limits: MemoryLimits,
  smallest: number,
): CapacityError {
  const changes: string[] = [];
  for (let time = request.time >> 1; time >= 64 && changes.length === 0; time >>= 1) {
    if (shapeWithin({ ...request, time }, limits).fitting) changes.push(`rows of ${time} positions (--length ${time})`);
  }
  const method = SMALLER.slice(SMALLER.indexOf(settings.method) + 1).find((name) =>
    fits(base, settings, name, request, limits),
  );
  if (method) changes.push(`--method ${method}`);
  const packed = settings.frozen === "float32" && !settings.quantize && frozenWeights(base, request.isTrainable, "nf4");
  if (packed && packed.size > 0 && shapeWithin({ ...request, frozen: packed }, limits).fitting)
    changes.push("--frozen nf4");
  if (settings.selectedTokens === undefined && fitsSelected(base, settings, request, limits))
    changes.push(`--selected-tokens ${USUAL_SELECTION}`);
  const halved = settings.precision === "float32" && request.gradients !== "none";
  if (halved && shapeWithin({ ...request, precision: "bfloat16" }, limits).fitting)
    changes.push("--precision bfloat16");
  const algorithm = THRIFTY.slice(THRIFTY.indexOf(settings.algorithm) + 1).find((name) => {
    if (settings.quantize && name === "mezo") return false;
    const plain = {
      ...settings,
      ...algorithmDefaults({ algorithm: name }),
      algorithm: name,
      precision: "float32" as const,
    };
    return shapeWithin(stepRequest(request, plain, request.time, request.frozen), limits).fitting;
  });
  if (algorithm) changes.push(`--algorithm ${algorithm}`);
  changes.push(`--memory ${megabytes(smallest).replace(" ", "")}`);
  return new CapacityError(
    `a memory of ${megabytes(limits.memoryBytes!)} is too small for ${settings.method} of this model with rows of ${request.time} positions: it needs at least ${megabytes(smallest)}. What would fit: ${changes.join("; or ")}`,
  );
}

/** Share of the positions that is proposed: near what the paper's language models were tuned with (arXiv:2501.18824). */
const USUAL_SELECTION = 0.25;

function fitsSelected(
  base: LanguageModel,
  settings: TuneSettings,
  request: StepRequest,
  limits: MemoryLimits,
): boolean {
  if (request.gradients === "none") return false;
  const selectedTokens = USUAL_SELECTION;
  try {
    tuningFor(base, { ...settings, selectedTokens });
    return shapeWithin({ ...request, selectedTokens }, limits).fitting !== undefined;
  } catch (thrown) {
    if (!(thrown instanceof ConfigError || thrown instanceof UnsupportedError)) throw thrown;
    // virtual tokens, or attention that is differentiated for all positions only
    return false;
  }
}

function fits(
  base: LanguageModel,
  settings: TuneSettings,
  method: MethodName,
  { time }: StepRequest,
  limits: MemoryLimits,
): FittingShape | undefined {
  try {
    const tuning = tuningFor(base, { ...settings, method, methodOptions: {}, alsoTrain: [], targets: undefined });
    return shapeWithin(stepRequest(tuning, settings, time, frozenFor(base, tuning, settings)), limits).fitting;
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    // the model has nothing that this method trains
    return undefined;
  }
}
