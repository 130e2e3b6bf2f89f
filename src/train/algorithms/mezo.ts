/**
 * @file MeZO (Malladi et al. 2023, arXiv:2305.17333, algorithm 1): the slope of the loss along random noise from two forward
 * passes. The noise is drawn again from its seed whenever it is needed, so nothing is kept beside the weights.
 */

import { CheckpointError, ConfigError, TrainingError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { deriveSeed, Rng } from "../../base/rng.js";
import type { Checkpoint } from "../../checkpoint/index.js";
import { LossPlan } from "../../plan/index.js";
import type { PackedDataset } from "../data/packing.js";
import { lossScaleOf } from "../loss-scale.js";
import { learningRateAt } from "../optim/index.js";
import type { RunState, StateContents } from "../run-folder.js";
import type { StepReport, TrainContext, Trainer, TrainingAlgorithm, TrainOptions } from "./algorithm.js";
import { Gaussian } from "./gaussian.js";
import { expectPlainSgd } from "./lomo.js";
import { StepBatches, type StepResult, type StepWork } from "./step-batches.js";
import { StepPlan } from "./step-plan.js";

export interface MezoOptions {
  /** ε: how far the parameters are moved along the noise to measure the loss. Default 1e-3, the paper's for all weights. */
  readonly epsilon?: number;
}

/**
 * z ~ N(0, 1), g = (L(θ + εz) - L(θ - εz)) / 2ε, θ ← (1-ηλ)θ - ηg z. Needs the memory of evaluation alone, many more steps
 * and far smaller rates than gradients. A checkpoint is the list of all g: from the parameters that a run began with, the
 * same bits follow. Dropout is off, as in the paper.
 * @throws ConfigError at the start of a run when its optimiser is not SGD without momentum or gradients are to be clipped.
 */
export function mezo({ epsilon = 1e-3 }: MezoOptions = {}): TrainingAlgorithm {
  if (!(epsilon > 0 && Number.isFinite(epsilon)))
    throw new ConfigError(`mezo: epsilon must be above 0, got ${epsilon}`);
  return {
    name: "mezo",
    gradients: "none",
    createTrainer: async (context, dataset, options) => {
      const { precision = "float32" } = options;
      if (lossScaleOf(options) || precision !== "float32") {
        throw new ConfigError(
          `mezo has forward passes alone, which keep nothing: precision "${precision}" would change nothing; leave it out`,
        );
      }
      return MezoTrainer.create(context, dataset, options, epsilon);
    },
  };
}

class MezoTrainer implements Trainer {
  private constructor(
    private readonly plans: StepPlan<LossPlan>,
    private readonly batches: StepBatches,
    private readonly numBatches: number,
    readonly state: NoiseLog,
  ) {}

  static async create(
    { runtime, model, parameters }: TrainContext,
    dataset: PackedDataset,
    options: TrainOptions,
    epsilon: number,
  ): Promise<MezoTrainer> {
    expectPlainSgd("mezo", options.optimizer);
    if (options.clipNorm !== null || options.streamGradients)
      throw new ConfigError("mezo has no gradients to clip or stream: clipNorm must be null and streamGradients false");
    if (options.selectedTokens !== undefined)
      throw new ConfigError("mezo has no backward pass to select tokens for; leave out selectedTokens");
    const plans = await StepPlan.create(dataset, options, (shape) =>
      LossPlan.create(runtime, model, { ...options, ...shape, packed: true }, parameters),
    );
    const trained = new Map([...parameters].filter(([name]) => options.isTrainable(name)));
    return new MezoTrainer(
      plans,
      new StepBatches(dataset, options),
      options.accumulate,
      new NoiseLog(trained, options, epsilon),
    );
  }

  step(index: number): Promise<StepReport> {
    return this.batches.step(index, (work) => this.#update(work));
  }

  async #update({ index, time, batch }: StepWork): Promise<StepResult> {
    const { state } = this;
    const plan = await this.plans.of(time);
    const loss = async (): Promise<number> => {
      let sum = 0;
      for (let i = 0; i < this.numBatches; i++) sum += await plan.run(batch(i));
      return sum;
    };
    state.move(index, [state.ahead]);
    const plus = await loss();
    state.move(index, [state.back]);
    const minus = await loss();
    const mean = (plus + minus) / 2;
    if (!Number.isFinite(mean)) {
      state.move(index, [state.ahead]);
      throw new TrainingError(`the loss is ${mean}`);
    }
    state.take(index, (plus - minus) / (2 * state.epsilon));
    return { loss: mean };
  }

  close(): void {
    this.plans.close();
  }
}

/** One change of all parameters: θ ← keep · θ + scale · z. */
interface Move {
  readonly scale: number;
  readonly keep: number;
}

/** Elements whose noise is drawn at once; they stay in the cache. */
const BLOCK = 2 ** 14;

/** Parameters as what they began with and one number per step. */
class NoiseLog implements RunState {
  /** θ + εz from θ, or back from θ - εz. */
  readonly ahead: Move;
  /** θ - εz from θ + εz. */
  readonly back: Move;
  /** Slope of the loss along the noise, by step. */
  readonly #slopes: number[] = [];
  readonly #gaussian = new Gaussian();
  readonly #noise = new Float32Array(BLOCK);

  constructor(
    readonly parameters: ReadonlyMap<string, HostTensor>,
    private readonly options: TrainOptions,
    readonly epsilon: number,
  ) {
    this.ahead = { scale: epsilon, keep: 1 };
    this.back = { scale: -2 * epsilon, keep: 1 };
  }

  /** From θ - εz to the end of step `index`, which is noted. */
  take(index: number, slope: number): void {
    this.move(index, [this.ahead, this.#update(index, slope)]);
    this.#slopes.push(slope);
  }

  #update(index: number, slope: number): Move {
    const learningRate = learningRateAt(this.options.schedule, index);
    return { scale: -learningRate * slope, keep: 1 - learningRate * this.options.weightDecay };
  }

  /** Changes along the noise of a step, one after another, each rounded to float32: as if each went over all parameters. */
  move(index: number, moves: readonly Move[]): void {
    for (const [name, { data, shape }] of this.parameters) {
      const rng = new Rng(deriveSeed(this.options.seed, `step ${index} noise of ${name}`));
      // vectors are not decayed, as in the optimisers
      const own = shape.length > 1 ? moves : moves.map(({ scale }) => ({ scale, keep: 1 }));
      for (let start = 0; start < data.length; start += BLOCK) {
        const values = data.subarray(start, start + BLOCK) as Float32Array;
        this.#gaussian.fill(this.#noise, values.length, rng);
        for (const one of own) moveBlock(values, this.#noise, one);
      }
    }
  }

  save(isBest: boolean): StateContents {
    return { tensors: isBest ? { parameters: this.parameters } : {}, state: { slopes: [...this.#slopes] } };
  }

  /** Goes all steps again without a forward pass, from the parameters as they are: those that the run began with. */
  async load({ path, step, state }: Checkpoint): Promise<void> {
    const { slopes } = state as { readonly slopes?: readonly number[] };
    if (slopes?.length !== step) {
      throw new CheckpointError(
        `${path} holds ${slopes?.length ?? "no"} slopes for ${step} steps; it is not of a run of mezo, remove the folder to start over`,
      );
    }
    for (const [index, slope] of slopes.entries()) {
      // the roundings of moving there and back are part of the bits
      this.move(index, [this.ahead, this.back, this.ahead, this.#update(index, slope)]);
      this.#slopes.push(slope);
    }
  }
}

function moveBlock(values: Float32Array, noise: Float32Array, { scale, keep }: Move): void {
  for (let i = 0; i < values.length; i++) values[i] = keep * values[i]! + scale * noise[i]!;
}
