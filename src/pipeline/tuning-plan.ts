/** @file How a model is tuned within a budget of time and memory: sizes, steps and policies, decided before it starts. */

import { z } from "zod";
import { CapacityError } from "../base/errors.js";
import { byteSize, type HostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import type { FrozenWeights } from "../compress/index.js";
import { countParameters, type LanguageModel, parameterSpecs } from "../nn/index.js";
import {
  describeTraining,
  estimateForward,
  estimateMemory,
  LossPlan,
  type MemoryEstimate,
  type Precision,
  type TrainDescription,
  TrainPlan,
} from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import { batchOf, type GradientUse, type PackedDataset, selectTokens } from "../train/index.js";

export interface TuningBudget {
  /** Time of training. */
  readonly seconds: number;
  /** Most memory of the process; undefined for no limit. */
  readonly memoryBytes: number | undefined;
}

const bytes = z.number();

/** What was decided. Kept with the run, so that it goes on the same way. */
export const tuningPlanSchema = z.object({
  /** Sizes that decide memory and speed of a step. */
  shape: z.object({
    batchSize: z.int(),
    save: z.enum(["all", "selective", "inputs"]),
    attentionTile: z.int(),
    /** Keys per tile. */
    keyTile: z.int().optional(),
    lossTile: z.object({ rows: z.int(), vocabulary: z.int() }),
    streamGradients: z.boolean(),
    /** What a program is not using lies in files, out of RAM. */
    paging: z.boolean().default(false),
  }),
  /** Positions per row. */
  time: z.int(),
  steps: z.int(),
  learningRate: z.number(),
  numParameters: z.int(),
  numTrainable: z.int(),
  msPerStep: z.number(),
  predictedSeconds: z.number(),
  memory: z.object({
    weights: bytes,
    gradients: bytes,
    optimizer: bytes,
    activations: bytes,
    residuals: bytes,
    workspace: bytes,
    runtime: bytes,
    total: bytes,
  }),
});

export type TuningPlan = z.infer<typeof tuningPlanSchema>;
export type StepShape = TuningPlan["shape"];

/** Tokens of a micro-batch beyond which matrix products get no faster. */
const ENOUGH_TOKENS = 1024;

/** Queries per tile of attention where memory allows it. */
export const USUAL_TILE = 256;

/** Bytes of a tile of logits. */
const LOGITS_BYTES = 2 ** 25;

/** What is to be fitted. */
export interface StepRequest {
  readonly model: LanguageModel;
  readonly isTrainable: (name: string) => boolean;
  /** Positions per row. */
  readonly time: number;
  /** Rows per step. Micro-batches divide them. */
  readonly rowsPerStep: number;
  /** Bytes of the optimiser's states for a trained parameter of a shape. */
  readonly stateBytes: (shape: readonly number[]) => number;
  /** Bytes that an update of a trained parameter uses at once. Default: all of its tensors. */
  readonly updateBytes?: (shape: readonly number[]) => number;
  /** Whether gradients may be used up layer by layer, which rules out clipping and accumulation. */
  readonly mayStream: boolean;
  /** Forms of frozen weights; what is not in it is float32. */
  readonly frozen?: FrozenWeights;
  /** Share of the positions that are differentiated. Default all. */
  readonly selectedTokens?: number;
  /** How hidden states and residuals lie in memory. Default float32. */
  readonly precision?: Precision;
  /** Which gradients the algorithm keeps. Default "all". "layer" takes all rows of a step at once. */
  readonly gradients?: GradientUse;
  /** Whether tensors lie in files: "may" where nothing fits otherwise. Default "no". */
  readonly paging?: "no" | "may" | "must";
  /** Backward passes per step. Default 1; clipped and streamed gradients take 2. */
  readonly backwardPasses?: number;
  /** All rows of a step in one micro-batch, the loss over the whole vocabulary: steps that are one program. */
  readonly rowsAtOnce?: boolean;
}

/** Shapes from fast and large to slow and small: recompute more, then fewer rows at once, then smaller tiles. */
function stepShapes({
  model: { vocabSize },
  time,
  rowsPerStep,
  mayStream,
  gradients = "all",
  paging = "no",
  rowsAtOnce = gradients === "layer",
}: StepRequest): StepShape[] {
  const most = Math.max(1, Math.floor(ENOUGH_TOKENS / time));
  const divisors = Array.from({ length: rowsPerStep }, (_, i) => rowsPerStep - i).filter(
    (size) => rowsPerStep % size === 0 && size <= most,
  );
  const streamGradients = gradients === "layer";
  const sizes = rowsAtOnce ? [rowsPerStep] : divisors;
  // without a backward pass nothing is kept for one
  const policies = gradients === "none" ? (["inputs"] as const) : (["all", "selective", "inputs"] as const);
  const lossRows = 2 ** Math.floor(Math.log2(Math.max(64, Math.min(1024, LOGITS_BYTES / 4 / vocabSize))));
  const shapes: StepShape[] = sizes.flatMap((batchSize) =>
    policies.map((save) => ({
      batchSize,
      save,
      attentionTile: USUAL_TILE,
      lossTile: { rows: lossRows, vocabulary: vocabSize },
      streamGradients,
      paging: false,
    })),
  );
  if (rowsAtOnce && !streamGradients) return shapes;
  const small = { ...shapes.at(-1)!, attentionTile: 64 };
  shapes.push({ ...small, lossTile: { rows: Math.min(lossRows, 128), vocabulary: vocabSize } });
  const tiled = { ...small, lossTile: { rows: 128, vocabulary: Math.min(vocabSize, 4096) } };
  if (tiled.lossTile.vocabulary < vocabSize) shapes.push(tiled);
  if (mayStream) shapes.push({ ...shapes.at(-1)!, streamGradients: true });
  const paged = shapes.map((shape) => ({ ...shape, paging: true }));
  if (paging === "must") return paged;
  return paging === "may" ? [...shapes, ...paged] : shapes;
}

export interface FittingShape {
  readonly request: StepRequest;
  readonly shape: StepShape;
  readonly description: TrainDescription;
  readonly memory: MemoryEstimate;
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;

export interface MemoryLimits {
  /** Most memory of the process; undefined for no limit. */
  readonly memoryBytes: number | undefined;
  /** What the process holds beside the plan's own memory. */
  readonly processBytes: number;
}

/** What a process grows by beside a plan's own memory: compiled programs, the heap's slack. Measured. */
export const GROWTH_BYTES = 32 * 2 ** 20;

/**
 * The fastest shape whose predicted peak fits the budget.
 * @throws CapacityError saying what the smallest would need.
 */
export function fitShape(request: StepRequest, limits: MemoryLimits): FittingShape {
  const { fitting, smallest } = shapeWithin(request, limits);
  if (fitting) return fitting;
  const needed = megabytes(smallest);
  throw new CapacityError(
    `a memory budget of ${megabytes(limits.memoryBytes!)} is too small: tuning this model (${countParameters(parameterSpecs(request.model))} parameters, rows of ${request.time} tokens) needs at least ${needed}; give --memory ${needed.replace(" ", "")} or more`,
  );
}

export interface ShapeWithin {
  readonly fitting: FittingShape | undefined;
  /** Bytes of the smallest shape that was tried. */
  readonly smallest: number;
}

/** The fastest shape that fits, if any does. */
export const shapeWithin = (request: StepRequest, { memoryBytes, processBytes }: MemoryLimits): ShapeWithin =>
  firstWithin(describedShapes(request, processBytes), memoryBytes);

export function firstWithin(shapes: Iterable<FittingShape>, memoryBytes: number | undefined): ShapeWithin {
  let smallest = Number.POSITIVE_INFINITY;
  for (const fitting of shapes) {
    const { total } = fitting.memory;
    smallest = Math.min(smallest, total);
    if (memoryBytes === undefined || total <= memoryBytes) return { fitting, smallest };
  }
  return { fitting: undefined, smallest };
}

/** Shapes from fast and large to slow and small with the memory of each, described as they are asked for. */
export function* describedShapes(request: StepRequest, processBytes: number): Generator<FittingShape, void> {
  const { model, time, isTrainable } = request;
  for (const shape of stepShapes(request)) {
    const description = describeTraining(model, {
      ...shape,
      time,
      packed: true,
      isTrainable,
      ...(request.frozen && { frozen: request.frozen }),
      ...(request.selectedTokens !== undefined && { selectedTokens: request.selectedTokens }),
      ...(request.precision && { precision: request.precision }),
    });
    const options = { ...request, processBytes, paging: shape.paging };
    const memory = withEvaluation(
      description,
      request.gradients === "none"
        ? estimateForward(model, description.options, options)
        : estimateMemory(description, options),
    );
    yield { request, shape, description, memory };
  }
}

/** Held-out batches go through two hidden states of their own. */
function withEvaluation({ model, options }: TrainDescription, memory: MemoryEstimate): MemoryEstimate {
  const bytes = 2 * byteSize("float32", [options.batchSize, options.time, model.hiddenSize]);
  return { ...memory, activations: memory.activations + bytes, total: memory.total + bytes };
}

/** Milliseconds that the optimiser takes per trained parameter: about 11 passes over cached pieces. */
const OPTIMIZER_MS = 2.5e-6;

/** Milliseconds that noise takes per trained parameter: drawn and added three times per step. */
const NOISE_MS = 4.5e-5;

/** Timed steps of a trial, after one that warms up. */
const TRIAL_STEPS = 5;

/** Runs a step's passes a few times, changing nothing but gradients; milliseconds of one micro-batch's share of a step. */
export async function measureStep(
  runtime: Runtime,
  fitting: FittingShape,
  parameters: ReadonlyMap<string, HostTensor>,
  dataset: PackedDataset,
): Promise<number> {
  const { request, description, shape } = fitting;
  const rows = Array.from({ length: shape.batchSize }, (_, i) => i);
  const { selected } = description;
  const batch = {
    ...batchOf(dataset, rows, 1),
    ...(selected !== undefined && { selected: selectTokens(dataset, rows, selected, new Rng(0)) }),
  };
  const trainable = trainableParameters(description);
  if (request.gradients === "none") {
    const plan = await LossPlan.create(runtime, request.model, description.options, parameters);
    const twice = async (): Promise<void> => {
      for (let i = 0; i < 2; i++) await plan.run(batch);
    };
    const microBatches = request.rowsPerStep / shape.batchSize;
    return (await medianMs(twice, plan)) + (NOISE_MS * trainable) / microBatches;
  }
  const plan = await TrainPlan.create(runtime, description, parameters);
  const { backwardPasses = 1 } = request;
  const step = async (): Promise<void> => {
    for (let i = 0; i < backwardPasses; i++) await plan.run(batch, { accumulate: false, repeatsForward: i === 0 });
  };
  return (await medianMs(step, plan)) + OPTIMIZER_MS * trainable;
}

/** Median time of some runs after a first one that warms up; closes the plan. */
export async function medianMs(run: () => Promise<void>, plan: { close(): void }): Promise<number> {
  const times: number[] = [];
  try {
    await run();
    for (let i = 0; i < TRIAL_STEPS; i++) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
  } finally {
    plan.close();
  }
  return times.sort((a, b) => a - b)[TRIAL_STEPS >> 1]!;
}

export function trainableParameters({ model, options }: TrainDescription): number {
  return countParameters(parameterSpecs(model).filter(({ name }) => options.isTrainable(name)));
}

/** Passes over the data after which nothing is gained but memorising. */
const MOST_EPOCHS = 10;

/** Evaluations in the course of a run, each about a third of a step's cost per token. */
export const NUM_EVALUATIONS = 6;

/** Steps that fit the time, evaluations included, and the seconds they are predicted to take. */
export function fitSteps(
  msPerStep: number,
  { batchSize }: StepShape,
  train: PackedDataset,
  heldOut: PackedDataset,
  seconds: number,
): { steps: number; predictedSeconds: number } {
  const evaluationMs = (NUM_EVALUATIONS * (msPerStep / 3) * heldOut.numRows) / batchSize;
  const byTime = Math.floor((seconds * 1000 - evaluationMs) / msPerStep);
  const byData = Math.ceil((MOST_EPOCHS * train.numRows) / batchSize);
  const steps = Math.max(1, Math.min(byTime, byData));
  return { steps, predictedSeconds: (steps * msPerStep + evaluationMs) / 1000 };
}
