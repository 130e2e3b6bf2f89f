/** @file The gate of a written training step: some steps of it against as many of this process's own training. */

import { CheckpointError } from "../base/errors.js";
import { type HostTensor, zeros } from "../base/host-tensor.js";
import { deriveSeed, Rng } from "../base/rng.js";
import { evaluateShape } from "../graph/index.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import { describeTraining, type MicroBatch, TrainPlan } from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import { GradientNorm } from "../train/gradient-norm.js";
import { batchFeeds, Optimizer, progressFeeds } from "../train/index.js";
import { loadTrainingStep, type TrainingStep, type TrainingStepOptions } from "./training-step.js";

export interface StepComparison {
  readonly steps: number;
  /** Largest difference of a loss or of a trained weight, in shares of the loss or of its tensor's largest magnitude. */
  readonly maxDifference: number;
  /** What has it: a tensor's name, or `loss`. */
  readonly worst: string;
  readonly numCompared: number;
  /**
   * Weights that are not compared as their gradient is rounding alone: in no step above 1e-6 of the largest gradient, such
   * as that of the keys' bias without rotary positions, which softmax does not see. An optimiser that divides by the
   * gradient's size makes steps of full size of it.
   */
  readonly numLeftOut: number;
  /** Losses of the file's steps, before each update. */
  readonly losses: readonly number[];
}

export interface CheckOptions {
  /** Default 3. */
  readonly steps?: number;
  /** Default 1e-3. */
  readonly learningRate?: number;
  /** Largest difference that is allowed. Default 1e-4: single precision, added up in another order. */
  readonly limit?: number;
}

/**
 * Runs the file and this process's plan and optimiser on the same drawn batches from the same weights.
 * @throws CheckpointError naming the tensor that differs by more than the limit.
 */
export async function checkTrainingStep(
  runtime: Runtime,
  path: string,
  step: TrainingStep,
  { model, parameters }: { readonly model: LanguageModel; readonly parameters: Parameters },
  options: TrainingStepOptions,
  { steps = 3, learningRate = 1e-3, limit = 1e-4 }: CheckOptions = {},
): Promise<StepComparison> {
  const batches = Array.from({ length: steps }, (_, i) => drawnBatch(model, options, i));
  const { weights, losses } = await byFile(runtime, path, step, parameters, batches, learningRate);
  const expected = await byPlan(runtime, model, parameters, options, batches, learningRate);
  const differences: (readonly [string, number])[] = losses.map((loss, i) => [
    "loss",
    Math.abs(loss / expected.losses[i]! - 1),
  ]);
  let [numCompared, numLeftOut] = [0, 0];
  const largest = [...expected.slopes.values()].reduce((max, slopes) => Math.max(max, largestOf(slopes)), 0);
  for (const [name, slopes] of expected.slopes) {
    const [actual, right] = [weights, expected.weights].map((all) => all.get(name)!.data as Float32Array);
    const isCompared = slopes.map((slope) => Number(slope > ROUNDING * largest));
    const off = right!.map((value, i) => isCompared[i]! * Math.abs(actual![i]! - value));
    differences.push([name, largestOf(off) / (largestOf(right!) || 1)]);
    const count = isCompared.reduce((sum, is) => sum + is, 0);
    numCompared += count;
    numLeftOut += slopes.length - count;
  }
  // a NaN is the worst of all
  const [worst, maxDifference] = differences.reduce((a, b) => (b[1] <= a[1] ? a : b));
  if (!(maxDifference <= limit)) {
    throw new CheckpointError(
      `${path}: after ${steps} steps ${worst} differs from what training here gives by ${maxDifference.toExponential(2)} of its largest value, more than ${limit.toExponential(2)}. Do not use this file`,
    );
  }
  return { steps, maxDifference, worst, numCompared, numLeftOut, losses };
}

/** Gradients up to this share of the largest are noise of single precision. */
const ROUNDING = 1e-6;

/** Of the magnitudes; NaN where there is one. */
function largestOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) if (!(Math.abs(value) <= largest)) largest = Math.abs(value);
  return largest;
}

/** Random tokens, some of them no targets; two documents per row where rows are packed. */
function drawnBatch(model: LanguageModel, { batchSize, time, packed }: TrainingStepOptions, index: number): MicroBatch {
  const rng = new Rng(deriveSeed(21, `batch ${index}`));
  const count = batchSize * time;
  const tokens = (): Int32Array => Int32Array.from({ length: count }, () => rng.below(model.vocabSize));
  const half = packed ? Math.ceil(time / 2) : time;
  return {
    ids: tokens(),
    labels: tokens(),
    weights: Float32Array.from({ length: count }, (_, i) => Number(i % 4 !== 3)),
    positions: Int32Array.from({ length: count }, (_, i) => (i % time) % half),
    segments: Int32Array.from({ length: count }, (_, i) => Math.floor((i % time) / half)),
    seed: index,
  };
}

async function byFile(
  runtime: Runtime,
  path: string,
  step: TrainingStep,
  parameters: Parameters,
  batches: readonly MicroBatch[],
  learningRate: number,
): Promise<{ weights: ReadonlyMap<string, HostTensor>; losses: number[] }> {
  const program = await loadTrainingStep(runtime, path, step);
  let carried = new Map<string, HostTensor>();
  for (const name of Object.values(step.feeds)) {
    const { dtype, shape } = step.inputs[name]!;
    carried.set(name, step.zeros.includes(name) ? zeros(dtype, evaluateShape(shape, {})) : parameters.get(name)!);
  }
  const losses: number[] = [];
  for (const [i, batch] of batches.entries()) {
    const outputs = await program.run({
      ...batchFeeds(step.inputs, batch),
      ...progressFeeds({ step: i, learningRate }),
      ...Object.fromEntries(carried),
    });
    losses.push(outputs.loss!.data[0] as number);
    carried = new Map(Object.entries(step.feeds).map(([output, input]) => [input, outputs[output]!]));
  }
  await program.close();
  return { weights: carried, losses };
}

interface Trained {
  readonly weights: ReadonlyMap<string, HostTensor>;
  /** Each weight's largest gradient of all steps, as a magnitude. */
  readonly slopes: ReadonlyMap<string, Float32Array>;
  readonly losses: readonly number[];
}

/** The same by the plan and optimiser of this process; the given parameters stay as they are. */
async function byPlan(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  options: TrainingStepOptions,
  batches: readonly MicroBatch[],
  learningRate: number,
): Promise<Trained> {
  const copies = [...parameters].map(
    ([name, tensor]) => [name, options.isTrainable(name) ? { ...tensor, data: tensor.data.slice() } : tensor] as const,
  );
  const all = new Map<string, HostTensor>(copies);
  const description = describeTraining(model, {
    ...options,
    lossTile: { rows: options.lossRows, vocabulary: model.vocabSize },
    streamGradients: false,
  });
  const plan = await TrainPlan.create(runtime, description, all);
  const optimizer = await Optimizer.create(runtime, options.optimizer, options);
  const norm = await GradientNorm.create(runtime);
  const slopes = new Map([...plan.gradients].map(([name, { data }]) => [name, new Float32Array(data.length)]));
  const losses: number[] = [];
  for (const [i, batch] of batches.entries()) {
    const sum = batch.weights.reduce((a, b) => a + b, 0);
    const shares = { ...batch, weights: batch.weights.map((weight) => weight / sum) };
    losses.push(await plan.run(shares, { accumulate: false }));
    const length = await norm.of(plan.gradients.values());
    const { clipNorm } = options;
    const gradientScale = clipNorm !== null && length > clipNorm ? clipNorm / length : 1;
    optimizer.begin({ step: i, learningRate, gradientScale });
    for (const [name, gradient] of plan.gradients) {
      const slope = slopes.get(name)!;
      for (let j = 0; j < slope.length; j++) slope[j] = Math.max(slope[j]!, Math.abs(Number(gradient.data[j])));
      await optimizer.update(name, all.get(name)!, gradient);
    }
  }
  plan.close();
  optimizer.close();
  norm.close();
  return { weights: all, slopes, losses };
}
