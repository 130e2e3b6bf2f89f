/** @file Steps whose gradients are used up layer by layer as the backward pass makes them. */

import { ConfigError, TrainingError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { parameterSpecs } from "../../nn/index.js";
import { describeTraining, TrainPlan } from "../../plan/index.js";
import type { PackedDataset } from "../data/packing.js";
import { GradientNorm } from "../gradient-norm.js";
import { lossScaleOf } from "../loss-scale.js";
import { Optimizer } from "../optim/index.js";
import { TensorState } from "../run-folder.js";
import type { StepReport, TrainContext, Trainer, TrainOptions } from "./algorithm.js";
import { clipScale } from "./clip.js";
import { StepBatches, type StepResult, type StepWork } from "./step-batches.js";
import { StepPlan } from "./step-plan.js";

export interface StreamOptions {
  /** Elements of gradients beyond ± this are cut to it; null leaves them. */
  readonly clipValue: number | null;
}

export class StreamedTrainer implements Trainer {
  readonly #names: readonly string[];

  private constructor(
    private readonly plans: StepPlan<TrainPlan>,
    private readonly norm: GradientNorm,
    private readonly batches: StepBatches,
    private readonly options: TrainOptions & StreamOptions,
    readonly state: TensorState,
    names: readonly string[],
  ) {
    this.#names = names;
  }

  /** @throws ConfigError for several micro-batches, whose gradients would have to be kept, and for float16. */
  static async create(
    { runtime, model, parameters }: TrainContext,
    dataset: PackedDataset,
    { clipValue = null, ...options }: TrainOptions & Partial<StreamOptions>,
  ): Promise<StreamedTrainer> {
    if (options.accumulate > 1) {
      throw new ConfigError(
        `streamed gradients are used up layer by layer: accumulate must be 1, got ${options.accumulate}; put all rows of a step into one micro-batch`,
      );
    }
    if (lossScaleOf(options)) {
      throw new ConfigError(
        'streamed gradients are used up before all are known, so that a step whose gradients overflow could not be skipped; give precision "bfloat16" or "float32"',
      );
    }
    const plans = await StepPlan.create(dataset, options, (rows) => {
      const shape = { ...options, ...rows, packed: true, streamGradients: true };
      return TrainPlan.create(runtime, describeTraining(model, shape), parameters);
    });
    const optimizer = await Optimizer.create(runtime, options.optimizer, options);
    const norm = await GradientNorm.create(runtime);
    const state = TensorState.of(parameters, options.isTrainable, optimizer);
    const names = parameterSpecs(model).map(({ name }) => name);
    return new StreamedTrainer(plans, norm, new StepBatches(dataset, options), { ...options, clipValue }, state, names);
  }

  step(index: number): Promise<StepReport> {
    return this.batches.step(index, (work) => this.#update(work));
  }

  async #update({ index, learningRate, time, batch }: StepWork): Promise<StepResult> {
    const { clipNorm } = this.options;
    const plan = await this.plans.of(time);
    const { optimizer } = this.state;
    const micro = batch(0);
    const sink = (gradients: ReadonlyMap<string, HostTensor>): Promise<void> => this.#apply(gradients);
    if (clipNorm === null) {
      optimizer.begin({ step: index, learningRate, gradientScale: 1 });
      return { loss: await plan.run(micro, { accumulate: false, sink }) };
    }
    // the length is known when all gradients have been there once: a second backward pass makes them again
    const squares = new Map<string, number>();
    const measure = async (gradients: ReadonlyMap<string, HostTensor>): Promise<void> => {
      for (const [name, gradient] of gradients) squares.set(name, await this.norm.squares(gradient));
    };
    const loss = await plan.run(micro, { accumulate: false, sink: measure });
    // in the order in which gradients that are kept are added up, so that the sum has the same bits
    const gradientNorm = Math.sqrt(this.#names.reduce((sum, name) => sum + (squares.get(name) ?? 0), 0));
    if (!Number.isFinite(gradientNorm)) throw new TrainingError(`the gradient's length is ${gradientNorm}`);
    optimizer.begin({ step: index, learningRate, gradientScale: clipScale(gradientNorm, clipNorm) });
    await plan.run(micro, { accumulate: false, sink, repeatsForward: false });
    return { loss, gradientNorm };
  }

  async #apply(gradients: ReadonlyMap<string, HostTensor>): Promise<void> {
    const { clipValue } = this.options;
    const { parameters, optimizer } = this.state;
    for (const [name, gradient] of gradients) {
      if (clipValue !== null) clamp(gradient.data as Float32Array, clipValue);
      await optimizer.update(name, parameters.get(name)!, gradient);
    }
  }

  close(): void {
    this.plans.close();
    this.norm.close();
    this.state.optimizer.close();
  }
}

function clamp(values: Float32Array, limit: number): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.max(-limit, Math.min(limit, values[i]!));
}
