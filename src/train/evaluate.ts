/** @file Loss on held-out text. */

import type { LanguageModel, Parameters } from "../nn/index.js";
import { LossPlan, type LossPlanOptions } from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import { batchOf, countTargets, type PackedDataset } from "./data/packing.js";

/** A dataset whose loss is measured again and again while the parameters change in place. */
export class Evaluation {
  readonly #plan: Pick<LossPlan, "run" | "close">;
  readonly #dataset: PackedDataset;
  readonly #batchSize: number;

  /** With `plan.run` giving Σ weights · loss over a batch. */
  constructor(plan: Pick<LossPlan, "run" | "close">, dataset: PackedDataset, batchSize: number) {
    this.#plan = plan;
    this.#dataset = dataset;
    this.#batchSize = batchSize;
  }

  static async create(
    runtime: Runtime,
    model: LanguageModel,
    parameters: Parameters,
    dataset: PackedDataset,
    options: Omit<LossPlanOptions, "time" | "packed">,
  ): Promise<Evaluation> {
    const plan = await LossPlan.create(runtime, model, { ...options, time: dataset.time, packed: true }, parameters);
    return new Evaluation(plan, dataset, options.batchSize);
  }

  /** Mean -log p per target token, in nats. Perplexity is its exponential. */
  async loss(): Promise<number> {
    let sum = 0;
    for (let row = 0; row < this.#dataset.numRows; row += this.#batchSize) {
      const rows = Array.from({ length: this.#batchSize }, (_, i) => row + i);
      sum += await this.#plan.run(batchOf(this.#dataset, rows, 1));
    }
    return sum / this.#dataset.numTokens;
  }

  /** Mean -log p per target token of one row; 0 for a row without any. */
  async lossOfRow(row: number): Promise<number> {
    const rows = Array.from({ length: this.#batchSize }, (_, i) => (i === 0 ? row : this.#dataset.numRows));
    return (await this.#plan.run(batchOf(this.#dataset, rows, 1))) / Math.max(1, countTargets(this.#dataset, [row]));
  }

  close(): void {
    this.#plan.close();
  }
}

/** Loss of each row, in nats per target token: how hard it is for the parameters as they are. */
export async function rowLosses(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  dataset: PackedDataset,
  options: Omit<LossPlanOptions, "time" | "packed" | "batchSize">,
): Promise<Float64Array> {
  const evaluation = await Evaluation.create(runtime, model, parameters, dataset, { ...options, batchSize: 1 });
  try {
    const losses = new Float64Array(dataset.numRows);
    for (let row = 0; row < losses.length; row++) losses[row] = await evaluation.lossOfRow(row);
    return losses;
  } finally {
    evaluation.close();
  }
}
