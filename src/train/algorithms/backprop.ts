/** @file Backpropagation: gradients of all parameters, added up over micro-batches, then one step of the optimiser. */

import { TrainingError } from "../../base/errors.js";
import { describeTraining, type MicroBatch, TrainPlan } from "../../plan/index.js";
import type { PackedDataset } from "../data/packing.js";
import { GradientNorm } from "../gradient-norm.js";
import { lossScaleOf } from "../loss-scale.js";
import { Optimizer } from "../optim/index.js";
import { TensorState } from "../run-folder.js";
import type { StepReport, TrainContext, Trainer, TrainingAlgorithm, TrainOptions } from "./algorithm.js";
import { clipScale } from "./clip.js";
import { ResidentTrainer } from "./resident.js";
import { StepBatches, type StepResult, type StepWork } from "./step-batches.js";
import { StepPlan } from "./step-plan.js";
import { StreamedTrainer } from "./streamed.js";

/** Any optimiser; with `streamGradients`, layer by layer. On a device, those that are elementwise rules. */
export function backprop(): TrainingAlgorithm {
  return {
    name: "backprop",
    gradients: "all",
    runsOnDevice: true,
    createTrainer: (context, dataset, options) =>
      context.device
        ? ResidentTrainer.create(context, context.device, dataset, options)
        : options.streamGradients
          ? StreamedTrainer.create(context, dataset, options)
          : AccumulatedTrainer.create(context, dataset, options),
  };
}

/** The batch with its loss multiplied; a power of two changes no bits. */
const weighted = (batch: MicroBatch, scale: number): MicroBatch =>
  scale === 1 ? batch : { ...batch, weights: batch.weights.map((weight) => weight * scale) };

class AccumulatedTrainer implements Trainer {
  private constructor(
    private readonly plans: StepPlan<TrainPlan>,
    private readonly norm: GradientNorm,
    private readonly batches: StepBatches,
    private readonly options: TrainOptions,
    readonly state: TensorState,
  ) {}

  static async create(
    { runtime, model, parameters }: TrainContext,
    dataset: PackedDataset,
    options: TrainOptions,
  ): Promise<AccumulatedTrainer> {
    const plans = await StepPlan.create(dataset, options, (shape) =>
      TrainPlan.create(runtime, describeTraining(model, { ...options, ...shape, packed: true }), parameters),
    );
    const optimizer = await Optimizer.create(runtime, options.optimizer, options);
    const norm = await GradientNorm.create(runtime);
    const state = TensorState.of(parameters, options.isTrainable, optimizer, lossScaleOf(options));
    return new AccumulatedTrainer(plans, norm, new StepBatches(dataset, options), options, state);
  }

  step(index: number): Promise<StepReport> {
    return this.batches.step(index, (work) => this.#update(work));
  }

  async #update({ index, learningRate, time, batch }: StepWork): Promise<StepResult> {
    const { accumulate, clipNorm } = this.options;
    const plan = await this.plans.of(time);
    const { parameters, optimizer, lossScale } = this.state;
    const scale = lossScale?.scale ?? 1;
    let loss = 0;
    for (let i = 0; i < accumulate; i++)
      loss += (await plan.run(weighted(batch(i), scale), { accumulate: i > 0 })) / scale;
    const gradientNorm = (await this.norm.of(plan.gradients.values())) / scale;
    if (!Number.isFinite(gradientNorm)) {
      if (!lossScale) throw new TrainingError(`the gradient's length is ${gradientNorm}`);
      lossScale.backOff();
      return { loss, isSkipped: true };
    }
    const step = index - (lossScale?.skipped ?? 0);
    optimizer.begin({ step, learningRate, gradientScale: clipScale(gradientNorm, clipNorm) / scale });
    for (const [name, gradient] of plan.gradients) {
      await optimizer.update(name, parameters.get(name)!, gradient);
    }
    lossScale?.advance();
    return { loss, gradientNorm };
  }

  close(): void {
    this.plans.close();
    this.norm.close();
    this.state.optimizer.close();
  }
}
