/** @file How a model is tuned within a budget of time and memory: sizes, steps and policies, decided before it starts. */

import { z } from "zod";
import { CapacityError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { countParameters, type LanguageModel, parameterSpecs } from "../nn/index.js";
import {
  describeTraining,
  estimateMemory,
  type MemoryEstimate,
  type TrainDescription,
  TrainPlan,
} from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import { adamw, batchOf, type PackedDataset } from "../train/index.js";

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
    lossTile: z.object({ rows: z.int(), vocabulary: z.int() }),
    streamGradients: z.boolean(),
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

/** Shapes from fast and large to slow and small: recompute more, then fewer rows at once, then smaller tiles. */
function stepShapes(vocabSize: number): StepShape[] {
  const shapes: StepShape[] = [];
  for (const batchSize of [2, 1]) {
    for (const save of ["all", "selective", "inputs"] as const) {
      shapes.push({
        batchSize,
        save,
        attentionTile: 256,
        lossTile: { rows: 1024, vocabulary: vocabSize },
        streamGradients: false,
      });
    }
  }
  const last = shapes.at(-1)!;
  shapes.push({ ...last, attentionTile: 64, lossTile: { rows: 128, vocabulary: vocabSize } });
  shapes.push({ ...last, attentionTile: 64, lossTile: { rows: 128, vocabulary: vocabSize }, streamGradients: true });
  return shapes;
}

export interface FittingShape {
  readonly shape: StepShape;
  readonly description: TrainDescription;
  readonly memory: MemoryEstimate;
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;

export interface MemoryLimits {
  /** Most memory of the process; undefined for no limit. */
  readonly memoryBytes: number | undefined;
  /** What the process holds beside the plan's own memory. */
  readonly processBytes: number;
}

/** Garbage that the heap keeps at most before it collects buffers outside of it. */
const UNCOLLECTED_BYTES = 64 * 2 ** 20;

/**
 * The fastest shape whose predicted peak fits the budget.
 * @throws CapacityError saying what the smallest would need.
 */
export function fitShape(
  model: LanguageModel,
  time: number,
  isTrainable: (name: string) => boolean,
  { memoryBytes, processBytes }: MemoryLimits,
): FittingShape {
  let smallest = Number.POSITIVE_INFINITY;
  for (const shape of stepShapes(model.vocabSize)) {
    const description = describeTraining(model, { ...shape, time, packed: true, isTrainable });
    const memory = estimateRun(description, processBytes);
    if (memoryBytes === undefined || memory.total <= memoryBytes) return { shape, description, memory };
    smallest = Math.min(smallest, memory.total);
  }
  throw new CapacityError(
    `a memory budget of ${megabytes(memoryBytes!)} is too small: tuning this model (${countParameters(parameterSpecs(model))} parameters, rows of ${time} tokens) needs at least ${megabytes(smallest)}; give --memory ${megabytes(smallest).replace(" ", "")} or more`,
  );
}

/** The estimate of a trial step and then the run: the trial's buffers are collected when the run has its own already. */
function estimateRun(description: TrainDescription, processBytes: number): MemoryEstimate {
  const memory = estimateMemory(description, { optimizerStates: adamw().states.length, processBytes });
  const uncollected = Math.min(memory.residuals, UNCOLLECTED_BYTES);
  return { ...memory, runtime: memory.runtime + uncollected, total: memory.total + uncollected };
}

/** Milliseconds that the optimiser takes per trained parameter: about 11 passes over cached pieces. */
const OPTIMIZER_MS = 2.5e-6;

/** Timed steps of a trial, after one that warms up. */
const TRIAL_STEPS = 5;

/** Runs a step's forward and backward a few times, changing nothing but gradients; milliseconds of one whole step. */
export async function measureStep(
  runtime: Runtime,
  { description, shape }: FittingShape,
  parameters: ReadonlyMap<string, HostTensor>,
  dataset: PackedDataset,
): Promise<number> {
  const plan = await TrainPlan.create(runtime, description, parameters);
  const rows = Array.from({ length: shape.batchSize }, (_, i) => i);
  const batch = batchOf(dataset, rows, 1);
  const times: number[] = [];
  try {
    await plan.run(batch, { accumulate: false });
    for (let i = 0; i < TRIAL_STEPS; i++) {
      const start = performance.now();
      await plan.run(batch, { accumulate: false });
      times.push(performance.now() - start);
    }
  } finally {
    plan.close();
  }
  const median = times.sort((a, b) => a - b)[TRIAL_STEPS >> 1]!;
  return median + OPTIMIZER_MS * trainableParameters(description);
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
