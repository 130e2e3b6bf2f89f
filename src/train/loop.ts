/** @file The one training loop: accumulate, clip, step, evaluate, checkpoint, report. */

import { ConfigError, messageOf, TrainingError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import { describeTraining, TrainPlan, type TrainPlanOptions } from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import { batchOf, countTargets, type PackedDataset } from "./data/packing.js";
import { type OrderRule, type RowOrder, shuffled } from "./data/row-order.js";
import { Evaluation } from "./evaluate.js";
import { GradientNorm } from "./gradient-norm.js";
import { learningRateAt, Optimizer, type OptimizerOptions, type OptimizerRule, type Schedule } from "./optim/index.js";
import { type RunFolder, type RunProgress, type RunTensors, restoreBest, resumeRun, saveRun } from "./run-folder.js";

export interface TrainOptions extends Omit<TrainPlanOptions, "time" | "packed"> {
  readonly steps: number;
  /** Micro-batches per step. */
  readonly accumulate: number;
  readonly optimizer: OptimizerRule;
  readonly weightDecay: number;
  /** Memory for the optimiser's states (`OptimizerOptions.allocate`). Default the process's own. */
  readonly allocate?: NonNullable<OptimizerOptions["allocate"]>;
  readonly schedule: Schedule;
  /** Gradients longer than this are scaled down to it; null leaves them. */
  readonly clipNorm: number | null;
  /** Seed of the order of rows and of dropout. */
  readonly seed: number;
  /** The order of rows. Default `shuffled`. */
  readonly order?: OrderRule;
  /** Steps between evaluations on held-out text; 0 evaluates at the start and the end only. */
  readonly evaluateEvery: number;
  /** Evaluations without a better loss before the run ends early; null never ends it. */
  readonly patience: number | null;
}

export interface TrainData {
  readonly train: PackedDataset;
  readonly heldOut?: PackedDataset;
}

export interface StepReport {
  readonly type: "step";
  /** Steps taken, this one included. */
  readonly step: number;
  /** Mean loss over the step's target tokens, in nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Length of the gradient before clipping; absent where gradients are streamed. */
  readonly gradientNorm?: number;
  /** Target tokens of the step. */
  readonly tokens: number;
}

export type TrainEvent =
  | StepReport
  | { readonly type: "evaluation"; readonly step: number; readonly loss: number }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };

export interface TrainSummary {
  readonly steps: number;
  readonly reason: "finished" | "early stop" | "aborted";
  /** Held-out loss before the first step, after the last one, and at the best evaluation. */
  readonly before?: number;
  readonly after?: number;
  readonly best?: { readonly step: number; readonly loss: number };
}

export interface TrainContext {
  readonly runtime: Runtime;
  readonly model: LanguageModel;
  /** Updated in place. */
  readonly parameters: Parameters;
  /** Where checkpoints go, and where a run that was stopped goes on from. */
  readonly folder?: RunFolder;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * Trains in place and reports as it goes. With a folder, a run that was killed goes on from its last checkpoint with the
 * same bits, and at the end the parameters of the best evaluation are the ones that remain; without one, the last.
 * @throws TrainingError naming the step when loss or gradient stop being numbers; checkpoints stay as they are.
 * @throws ConfigError when options contradict each other or the folder belongs to another run.
 */
export async function* train(
  context: TrainContext,
  data: TrainData,
  options: TrainOptions,
): AsyncGenerator<TrainEvent, TrainSummary> {
  const { runtime, model, parameters, folder, signal } = context;
  if (options.streamGradients && (options.accumulate > 1 || options.clipNorm !== null)) {
    throw new ConfigError("streamed gradients are used up layer by layer: accumulate must be 1 and clipNorm null");
  }
  const trainer = await Trainer.create(context, data.train, options);
  const evaluation = data.heldOut && (await Evaluation.create(runtime, model, parameters, data.heldOut, options));
  try {
    const progress = await resumeRun(folder, trainer.tensors);
    if (evaluation && progress.before === undefined) {
      progress.before = await evaluation.loss();
      yield { type: "evaluation", step: 0, loss: progress.before };
    }
    const isStale = (): boolean => options.patience !== null && progress.sinceBest >= options.patience;
    let reason: TrainSummary["reason"] | undefined;
    if (progress.step >= options.steps) reason = "finished";
    else if (isStale()) reason = "early stop";
    while (!reason) {
      yield await trainer.step(progress.step);
      progress.step++;
      if (signal?.aborted) reason = "aborted";
      else if (progress.step === options.steps) reason = "finished";
      const isDue = (every: number): boolean => every > 0 && progress.step % every === 0;
      let isBest = false;
      if (evaluation && reason !== "aborted" && (reason || isDue(options.evaluateEvery))) {
        isBest = note(progress, await evaluation.loss());
        yield { type: "evaluation", step: progress.step, loss: progress.after! };
        if (isStale()) reason ??= "early stop";
      }
      if (folder && (reason || isBest || isDue(folder.every))) {
        yield { type: "checkpoint", step: progress.step, path: await saveRun(folder, progress, trainer.tensors) };
      }
    }
    const { step: steps, before, after, best } = progress;
    if (folder && best && best.step < steps && reason !== "aborted")
      await restoreBest(folder, trainer.tensors.parameters);
    return {
      steps,
      reason,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
      ...(best && { best }),
    };
  } finally {
    trainer.close();
    evaluation?.close();
  }
}

/** Records an evaluation; whether it is the best so far. */
function note(progress: RunProgress, loss: number): boolean {
  progress.after = loss;
  const isBest = !progress.best || loss < progress.best.loss;
  if (isBest) progress.best = { step: progress.step, loss };
  progress.sinceBest = isBest ? 0 : progress.sinceBest + 1;
  return isBest;
}

/** What one step needs: plan, optimiser, order of rows. */
class Trainer {
  readonly #plan: TrainPlan;
  readonly #norm: GradientNorm | undefined;
  readonly #order: RowOrder;
  readonly #dataset: PackedDataset;
  readonly #options: TrainOptions;
  readonly tensors: RunTensors;

  private constructor(
    plan: TrainPlan,
    norm: GradientNorm | undefined,
    dataset: PackedDataset,
    options: TrainOptions,
    tensors: RunTensors,
  ) {
    this.#plan = plan;
    this.#norm = norm;
    this.#order = (options.order ?? shuffled)(dataset, options.batchSize, options.seed);
    this.#dataset = dataset;
    this.#options = options;
    this.tensors = tensors;
  }

  static async create(
    { runtime, model, parameters }: TrainContext,
    dataset: PackedDataset,
    options: TrainOptions,
  ): Promise<Trainer> {
    const description = describeTraining(model, { ...options, time: dataset.time, packed: true });
    const plan = await TrainPlan.create(runtime, description, parameters);
    const optimizer = await Optimizer.create(runtime, options.optimizer, options);
    const trained = new Map([...parameters].filter(([name]) => options.isTrainable(name)));
    const norm = options.streamGradients ? undefined : await GradientNorm.create(runtime, plan.gradients.values());
    return new Trainer(plan, norm, dataset, options, { parameters: trained, optimizer });
  }

  /** Takes step `index`, counted from 0. */
  async step(index: number): Promise<StepReport> {
    const { accumulate, schedule } = this.#options;
    const micro = Array.from({ length: accumulate }, (_, i) => this.#order.rowsOf(index * accumulate + i));
    const tokens = micro.reduce((sum, rows) => sum + countTargets(this.#dataset, rows), 0);
    const learningRate = learningRateAt(schedule, index);
    try {
      const { loss, gradientNorm } = await this.#update(index, micro, 1 / Math.max(tokens, 1), learningRate);
      return {
        type: "step",
        step: index + 1,
        loss,
        learningRate,
        tokens,
        ...(gradientNorm !== undefined && { gradientNorm }),
      };
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
      throw new TrainingError(
        `step ${index + 1}: ${messageOf(error)}; a lower learning rate than ${learningRate} or a longer warm-up may help. Checkpoints are as they were`,
        { cause: error },
      );
    }
  }

  async #update(
    index: number,
    micro: readonly number[][],
    scale: number,
    learningRate: number,
  ): Promise<{ loss: number; gradientNorm?: number }> {
    const { optimizer } = this.tensors;
    const batch = (i: number) => ({
      ...batchOf(this.#dataset, micro[i]!, scale),
      seed: deriveSeed(this.#options.seed, `step ${index} micro-batch ${i}`),
    });
    if (!this.#norm) {
      optimizer.begin({ step: index, learningRate, gradientScale: 1 });
      return { loss: await this.#plan.run(batch(0), { accumulate: false, sink: (ready) => this.#apply(ready) }) };
    }
    let loss = 0;
    for (const i of micro.keys()) loss += await this.#plan.run(batch(i), { accumulate: i > 0 });
    const gradientNorm = await this.#norm.compute();
    if (!Number.isFinite(gradientNorm)) throw new TrainingError(`the gradient's length is ${gradientNorm}`);
    const { clipNorm } = this.#options;
    const gradientScale = clipNorm !== null && gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
    optimizer.begin({ step: index, learningRate, gradientScale });
    await this.#apply(this.#plan.gradients);
    return { loss, gradientNorm };
  }

  async #apply(gradients: ReadonlyMap<string, HostTensor>): Promise<void> {
    const { parameters, optimizer } = this.tensors;
    for (const [name, gradient] of gradients) await optimizer.update(name, parameters.get(name)!, gradient);
  }

  close(): void {
    this.#plan.close();
    this.#norm?.close();
    this.tensors.optimizer.close();
  }
}
