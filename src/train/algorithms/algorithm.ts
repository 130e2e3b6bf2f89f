/** @file What a way to train is: how one step changes the parameters, and what a checkpoint of it holds. */

import type { LanguageModel, Parameters } from "../../nn/index.js";
import type { MicroBatch, TrainPlanOptions } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { LengthWarmup } from "../data/length-warmup.js";
import type { PackedDataset } from "../data/packing.js";
import type { OrderRule } from "../data/row-order.js";
import type { LossScaleOptions } from "../loss-scale.js";
import type { OptimizerRule, Schedule } from "../optim/index.js";
import type { RunFolder, RunState } from "../run-folder.js";

export interface TrainOptions extends Omit<TrainPlanOptions, "time" | "packed"> {
  readonly steps: number;
  /** Micro-batches per step. */
  readonly accumulate: number;
  /** How a step finds its direction. Default `backprop`. */
  readonly algorithm?: TrainingAlgorithm;
  readonly optimizer: OptimizerRule;
  readonly weightDecay: number;
  /** Of float16, whose gradients are scaled. */
  readonly lossScale?: LossScaleOptions;
  readonly schedule: Schedule;
  /** Gradients longer than this are scaled down to it; null leaves them. Streamed gradients are then computed twice. */
  readonly clipNorm: number | null;
  /** Seed of the order of rows, of dropout and of noise. */
  readonly seed: number;
  /** The order of rows. Default `shuffled`. */
  readonly order?: OrderRule;
  /** Rows are cut into shorter ones at first. Default: they are whole from the start. */
  readonly lengthWarmup?: LengthWarmup;
  /** Steps between evaluations on held-out text; 0 evaluates at the start and the end only. */
  readonly evaluateEvery: number;
  /** Evaluations without a better loss before the run ends early; null never ends it. */
  readonly patience: number | null;
}

export interface TrainContext {
  readonly runtime: Runtime;
  /** A runtime whose device has memory of its own, to take the steps there. `parameters` then follow when they are needed. */
  readonly device?: Runtime;
  readonly model: LanguageModel;
  /** Updated in place. */
  readonly parameters: Parameters;
  /** Where checkpoints go, and where a run that was stopped goes on from. */
  readonly folder?: RunFolder;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Ends the run after the current step as if it were the last: the best evaluation's parameters remain. */
  readonly finish?: AbortSignal;
}

export interface StepReport {
  readonly type: "step";
  /** Steps taken, this one included. */
  readonly step: number;
  /** Mean loss over the step's target tokens, in nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Length of the gradient before clipping; absent where it is not measured. */
  readonly gradientNorm?: number;
  /** Gradients overflowed float16: parameters and optimiser are as they were, and the loss scale is halved. */
  readonly isSkipped?: true;
  /** Target tokens of the step; where tokens are selected, of these. */
  readonly tokens: number;
}

/** What a step keeps in memory: gradients of all parameters, of one layer at a time, or none. */
export type GradientUse = "all" | "layer" | "none";

/** One way to train: one file and one registry line. */
export interface TrainingAlgorithm {
  readonly name: string;
  readonly gradients: GradientUse;
  /** Whether it can take its steps on `TrainContext.device`. Default false. */
  readonly runsOnDevice?: boolean;
  /** @throws ConfigError when options contradict the algorithm. */
  createTrainer(context: TrainContext, dataset: PackedDataset, options: TrainOptions): Promise<Trainer>;
}

/** A run's steps over fixed buffers. */
export interface Trainer {
  readonly state: RunState;
  /** Takes step `index`, counted from 0. @throws TrainingError when loss or gradient stop being numbers. */
  step(index: number): Promise<StepReport>;
  /** Brings the parameters in the process's memory up to date, where steps change them elsewhere. */
  publish?(): Promise<void>;
  /** Σ weights · loss over a batch where the parameters are; without it, the loop computes it from those of the process. */
  loss?(batch: MicroBatch): Promise<number>;
  close(): void;
}
