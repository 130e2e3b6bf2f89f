/** @file The loop around gradients that a source gives: optimiser, clipping, evaluations, checkpoints. */

import { ConfigError, messageOf, TrainingError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import type { Parameters } from "../nn/index.js";
import type { Runtime } from "../runtime/index.js";
import { clipScale } from "./algorithms/clip.js";
import { GradientNorm } from "./gradient-norm.js";
import type { StepReport } from "./loop.js";
import { learningRateAt, Optimizer, type OptimizerRule, type Schedule } from "./optim/index.js";
import { type RunFolder, resumeRun, saveRun, TensorState } from "./run-folder.js";

/** What finds the gradients of a step. */
export interface GradientSource {
  /** Gradients of what is trained, by parameter name: the same buffers in every step. */
  readonly gradients: ReadonlyMap<string, HostTensor>;
  /** Fills them for step `index`, counted from 0. `scale` is what they are to be multiplied by. */
  step(index: number, seed: number): Promise<{ readonly loss: number; readonly scale: number }>;
  /** A figure of the parameters as they are: accuracy, held-out loss. */
  evaluate?(): Promise<number>;
  close(): void;
}

export interface GradientTrainOptions {
  readonly steps: number;
  readonly optimizer: OptimizerRule;
  readonly schedule: Schedule;
  /** Seed of dropout. */
  readonly seed: number;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Gradients longer than this are scaled down to it; null, the default, leaves them. */
  readonly clipNorm?: number | null;
  /** Steps between evaluations; 0, the default, evaluates at the start and the end only. */
  readonly evaluateEvery?: number;
}

export interface GradientTrainContext {
  readonly runtime: Runtime;
  /** Updated in place. */
  readonly parameters: Parameters;
  /** Where checkpoints go, and where a run that was stopped goes on from. */
  readonly folder?: RunFolder;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

export type StageTrainEvent =
  | (Omit<StepReport, "tokens" | "gradientNorm"> & { readonly gradientNorm: number })
  | { readonly type: "evaluation"; readonly step: number; readonly value: number }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };

export interface StageTrainSummary {
  readonly steps: number;
  readonly reason: "finished" | "aborted";
  /** What `evaluate` gave before the first step and after the last one. */
  readonly before?: number;
  readonly after?: number;
}

/**
 * Trains in place and reports as it goes; the parameters of the last step remain. Closes the source.
 * @throws TrainingError naming the step when loss or gradient stop being numbers.
 * @throws ConfigError when a number is out of range, or the folder belongs to another run.
 */
export async function* trainByGradients(
  context: GradientTrainContext,
  source: GradientSource,
  options: GradientTrainOptions,
): AsyncGenerator<StageTrainEvent, StageTrainSummary> {
  const { folder, signal } = context;
  const { steps, evaluateEvery = 0 } = options;
  const trainer = await GradientTrainer.create(context, source, options);
  try {
    const progress = await resumeRun(folder, trainer.state);
    if (source.evaluate && progress.before === undefined) {
      progress.before = await source.evaluate();
      yield { type: "evaluation", step: 0, value: progress.before };
    }
    const isAborted = (): boolean => signal?.aborted ?? false;
    while (progress.step < steps && !isAborted()) {
      yield await trainer.step(progress.step);
      progress.step++;
      const isLast = progress.step === steps || isAborted();
      const isDue = (every: number): boolean => isLast || (every > 0 && progress.step % every === 0);
      if (source.evaluate && !isAborted() && isDue(evaluateEvery)) {
        progress.after = await source.evaluate();
        yield { type: "evaluation", step: progress.step, value: progress.after };
      }
      if (folder && isDue(folder.every)) {
        yield { type: "checkpoint", step: progress.step, path: await saveRun(folder, progress, trainer.state) };
      }
    }
    const { step, before, after } = progress;
    return {
      steps: step,
      reason: step >= steps ? "finished" : "aborted",
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    };
  } finally {
    trainer.close();
  }
}

/** @throws ConfigError naming the one that is no positive whole number. */
export function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ConfigError(`training: ${name} must be a whole number from 1 on, got ${value}`);
    }
  }
}

/** What one step needs: gradients, norm, optimiser. */
class GradientTrainer {
  private constructor(
    private readonly source: GradientSource,
    private readonly norm: GradientNorm,
    readonly state: TensorState,
    private readonly options: GradientTrainOptions,
  ) {}

  static async create(
    { runtime, parameters }: GradientTrainContext,
    source: GradientSource,
    options: GradientTrainOptions,
  ): Promise<GradientTrainer> {
    const { steps, weightDecay = 0 } = options;
    checkCounts({ steps });
    const optimizer = await Optimizer.create(runtime, options.optimizer, { weightDecay });
    const norm = await GradientNorm.create(runtime);
    const state = TensorState.of(parameters, (name) => source.gradients.has(name), optimizer);
    return new GradientTrainer(source, norm, state, options);
  }

  /** Takes step `index`, counted from 0. */
  async step(index: number): Promise<StageTrainEvent> {
    const learningRate = learningRateAt(this.options.schedule, index);
    try {
      const { loss, gradientNorm } = await this.#update(index, learningRate);
      return { type: "step", step: index + 1, loss, learningRate, gradientNorm };
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
      throw new TrainingError(
        `step ${index + 1}: ${messageOf(error)}; a lower learning rate than ${learningRate} or a longer warm-up may help`,
        { cause: error },
      );
    }
  }

  async #update(index: number, learningRate: number): Promise<{ loss: number; gradientNorm: number }> {
    const { seed, clipNorm = null } = this.options;
    const { parameters, optimizer } = this.state;
    const { gradients } = this.source;
    const { loss, scale } = await this.source.step(index, deriveSeed(seed, `step ${index}`));
    const gradientNorm = (await this.norm.of(gradients.values())) * scale;
    if (!Number.isFinite(gradientNorm)) throw new TrainingError(`the gradient's length is ${gradientNorm}`);
    optimizer.begin({ step: index, learningRate, gradientScale: clipScale(gradientNorm, clipNorm) * scale });
    for (const [name, gradient] of gradients) await optimizer.update(name, parameters.get(name)!, gradient);
    return { loss, gradientNorm };
  }

  close(): void {
    this.source.close();
    this.norm.close();
    this.state.optimizer.close();
  }
}
