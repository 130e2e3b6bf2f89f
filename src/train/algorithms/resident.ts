/** @file Backpropagation on a device: parameters and optimiser states stay in its memory, and are read where they are needed. */

import { ConfigError, TrainingError, UnsupportedError } from "../../base/errors.js";
import { type HostTensor, zeros } from "../../base/host-tensor.js";
import type { Checkpoint } from "../../checkpoint/index.js";
import type { MicroBatch } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { PackedDataset } from "../data/packing.js";
import { statesOf } from "../optim/index.js";
import { ResidentStep } from "../resident-step.js";
import { type RunState, readAll, type StateContents } from "../run-folder.js";
import type { StepReport, TrainContext, Trainer, TrainOptions } from "./algorithm.js";
import { StepBatches, type StepResult, type StepWork } from "./step-batches.js";

export class ResidentTrainer implements Trainer {
  private constructor(
    private readonly resident: ResidentStep,
    private readonly batches: StepBatches,
    readonly state: ResidentState,
  ) {}

  /**
   * @throws ConfigError for several micro-batches, streamed gradients, cut rows or selected tokens, UnsupportedError for packed weights, and what
   * `trainingStepGraph` throws.
   */
  static async create(
    { model, parameters }: TrainContext,
    device: Runtime,
    dataset: PackedDataset,
    options: TrainOptions,
  ): Promise<ResidentTrainer> {
    const { accumulate, streamGradients, frozen, lossTile, isTrainable, optimizer } = options;
    if (accumulate > 1 || streamGradients) {
      throw new ConfigError(
        `training on a device takes all rows of a step at once: expected accumulate 1 and no streamed gradients, got ${accumulate} and ${streamGradients}`,
      );
    }
    const partial = (["lengthWarmup", "selectedTokens"] as const).find((name) => options[name] !== undefined);
    if (partial)
      throw new ConfigError(`training on a device has one step, of all positions of whole rows; leave out ${partial}`);
    const { precision = "float32" } = options;
    if (precision !== "float32")
      throw new UnsupportedError(`training on a device is in float32 throughout, not ${precision}`);
    if (frozen && frozen.size > 0)
      throw new UnsupportedError("training on a device keeps frozen weights in float32; leave out their packed form");
    const shape = { ...options, time: dataset.time, packed: true, lossRows: lossTile.rows };
    const resident = await ResidentStep.create(device, model, parameters, shape);
    const trained = new Map([...parameters].filter(([name]) => isTrainable(name)));
    const states = [...trained].flatMap(([name, { shape }]) =>
      Object.keys(statesOf(optimizer, shape)).map((state) => [`${state}.${name}`, shape] as const),
    );
    return new ResidentTrainer(
      resident,
      new StepBatches(dataset, options),
      new ResidentState(resident, trained, new Map(states)),
    );
  }

  step(index: number): Promise<StepReport> {
    return this.batches.step(index, (work) => this.#update(work));
  }

  async #update({ index, learningRate, batch }: StepWork): Promise<StepResult> {
    const { loss, gradientNorm } = await this.resident.run(batch(0), { step: index, learningRate });
    if (!Number.isFinite(loss)) throw new TrainingError(`the loss is ${loss}`);
    if (!Number.isFinite(gradientNorm)) throw new TrainingError(`the gradient's length is ${gradientNorm}`);
    return { loss, gradientNorm };
  }

  loss(batch: MicroBatch): Promise<number> {
    return this.resident.loss(batch);
  }

  publish(): Promise<void> {
    return this.state.publish();
  }

  close(): void {
    this.resident.close();
  }
}

/** What is on the device, in the form in which checkpoints hold it: theirs are those of training in the process. */
class ResidentState implements RunState {
  constructor(
    private readonly resident: ResidentStep,
    readonly parameters: ReadonlyMap<string, HostTensor>,
    private readonly states: ReadonlyMap<string, readonly number[]>,
  ) {}

  async publish(): Promise<void> {
    for (const [name, tensor] of this.parameters) await this.resident.read(name, tensor);
  }

  async save(): Promise<StateContents> {
    await this.publish();
    const optimizer = this.#states();
    for (const [name, tensor] of optimizer) await this.resident.read(name, tensor);
    return { tensors: { parameters: this.parameters, optimizer } };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    await readAll(checkpoint.group("parameters"), this.parameters);
    const optimizer = this.#states();
    await readAll(checkpoint.group("optimizer"), optimizer);
    for (const [name, tensor] of [...this.parameters, ...optimizer]) await this.resident.write(name, tensor);
  }

  /** Room for the states, which the process does not keep. */
  #states(): Map<string, HostTensor> {
    return new Map([...this.states].map(([name, shape]) => [name, zeros("float32", shape)]));
  }
}
