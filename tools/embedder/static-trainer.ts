/** @file Training of a table of token vectors: a text is the mean of its tokens' rows, and nothing is computed besides. */

import { type HostTensor, zeros } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import type { Runtime } from "../../src/runtime/index.js";
import { InBatchLoss, learningRateAt, Optimizer, type OptimizerRule, type Schedule } from "../../src/train/index.js";
import type { Pair } from "./pairs.js";

export interface StaticTrainerOptions {
  readonly vocabSize: number;
  readonly dimension: number;
  readonly batch: number;
  readonly scale: number;
  readonly optimizer: OptimizerRule;
  readonly schedule: Schedule;
  readonly seed: number;
}

/**
 * Rows are looked up and their gradients added by loops over host memory, which for embeddings is faster than the
 * runtime's scatter; loss, its gradients and the optimiser are the library's programs.
 */
export class StaticTrainer {
  readonly table: HostTensor;
  readonly #gradient: HostTensor;
  #step = 0;

  private constructor(
    private readonly loss: InBatchLoss,
    private readonly optimizer: Optimizer,
    private readonly options: StaticTrainerOptions,
  ) {
    const { vocabSize, dimension } = options;
    this.table = zeros("float32", [vocabSize, dimension]);
    this.#gradient = zeros("float32", [vocabSize, dimension]);
  }

  /** @param weights length of each row at the start, relative to the others: rare tokens say more than common ones. */
  static async create(
    runtime: Runtime,
    options: StaticTrainerOptions,
    weights: ArrayLike<number>,
  ): Promise<StaticTrainer> {
    const { batch, dimension: width, scale, seed } = options;
    const loss = await InBatchLoss.create(runtime, { batch, width, scale, isSymmetric: true });
    const optimizer = await Optimizer.create(runtime, options.optimizer, { weightDecay: 0 });
    const trainer = new StaticTrainer(loss, optimizer, options);
    (trainer.table.data as Float32Array).set(startTable(weights, width, seed));
    return trainer;
  }

  get learningRate(): number {
    return learningRateAt(this.options.schedule, this.#step);
  }

  /** One step; returns the loss. */
  async step(pairs: readonly Pair[]): Promise<number> {
    const { queries, passages, queryGradients, passageGradients } = this.loss;
    pool(
      this.table,
      pairs.map(({ query }) => query),
      queries,
    );
    pool(
      this.table,
      pairs.map(({ passage }) => passage),
      passages,
    );
    const loss = await this.loss.run();
    (this.#gradient.data as Float32Array).fill(0);
    spread(
      queryGradients,
      pairs.map(({ query }) => query),
      this.#gradient,
    );
    spread(
      passageGradients,
      pairs.map(({ passage }) => passage),
      this.#gradient,
    );
    this.optimizer.begin({ step: this.#step, learningRate: this.learningRate, gradientScale: 1 });
    await this.optimizer.update("table", this.table, this.#gradient);
    this.#step++;
    return loss;
  }

  close(): void {
    this.loss.close();
    this.optimizer.close();
  }
}

/**
 * Random rows of the given lengths: nearly at right angles to each other, so that texts are alike by the tokens that they
 * share, before anything is learned.
 */
export function startTable(lengths: ArrayLike<number>, dimension: number, seed: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: lengths.length * dimension }, (_, i) => {
    return rng.normal() * lengths[Math.floor(i / dimension)]!;
  });
}

/** out[i] = mean of the rows of texts[i]. */
function pool(table: HostTensor, texts: readonly Uint16Array[], out: HostTensor): void {
  const width = table.shape[1]!;
  const [from, to] = [table.data as Float32Array, out.data as Float32Array];
  to.fill(0);
  for (const [i, ids] of texts.entries()) {
    const at = i * width;
    for (let k = 0; k < ids.length; k++) {
      const row = ids[k]! * width;
      for (let j = 0; j < width; j++) to[at + j]! += from[row + j]!;
    }
    const share = 1 / ids.length;
    for (let j = 0; j < width; j++) to[at + j]! *= share;
  }
}

/** The adjoint of `pool`: adds. */
function spread(gradients: HostTensor, texts: readonly Uint16Array[], table: HostTensor): void {
  const width = table.shape[1]!;
  const [from, to] = [gradients.data as Float32Array, table.data as Float32Array];
  const scaled = new Float32Array(width);
  for (const [i, ids] of texts.entries()) {
    for (let j = 0; j < width; j++) scaled[j] = from[i * width + j]! / ids.length;
    for (let k = 0; k < ids.length; k++) {
      const row = ids[k]! * width;
      for (let j = 0; j < width; j++) to[row + j]! += scaled[j]!;
    }
  }
}
