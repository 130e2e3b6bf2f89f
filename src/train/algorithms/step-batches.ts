/** @file The batches of each step, and its report, whatever the algorithm makes of them. */

import { ConfigError, messageOf, TrainingError } from "../../base/errors.js";
import { deriveSeed, Rng } from "../../base/rng.js";
import { type MicroBatch, numSelected } from "../../plan/index.js";
import { cutRows, lengthAt } from "../data/length-warmup.js";
import { batchOf, countTargets, type PackedDataset } from "../data/packing.js";
import { type RowOrder, shuffled } from "../data/row-order.js";
import { selectTokens } from "../data/select-tokens.js";
import { learningRateAt } from "../optim/index.js";
import type { StepReport, TrainOptions } from "./algorithm.js";

/** A step's work. */
export interface StepWork {
  /** Steps taken before this one. */
  readonly index: number;
  readonly learningRate: number;
  /** Positions per row. */
  readonly time: number;
  /** Micro-batch `i`. The weights of all of them add up to 1. */
  batch(i: number): MicroBatch;
}

/** What an algorithm measures in a step. */
export type StepResult = Pick<StepReport, "loss" | "gradientNorm" | "isSkipped">;

/** @throws ConfigError for options that contradict each other. */
export class StepBatches {
  readonly #order: RowOrder;
  readonly #numSelected: number | undefined;

  constructor(
    private readonly dataset: PackedDataset,
    private readonly options: TrainOptions,
  ) {
    if (options.lengthWarmup && options.selectedTokens !== undefined)
      throw new ConfigError(
        "training: positions are selected in whole rows, which lengthWarmup cuts; leave out one of the two",
      );
    this.#order = (options.order ?? shuffled)(dataset, options.batchSize, options.seed);
    this.#numSelected = numSelected({ ...options, time: dataset.time });
  }

  /** Runs step `index`. @throws TrainingError naming it when `run` throws one. */
  async step(index: number, run: (work: StepWork) => Promise<StepResult>): Promise<StepReport> {
    const { accumulate, schedule, seed } = this.options;
    const micro = Array.from({ length: accumulate }, (_, i) => this.#order.rowsOf(index * accumulate + i));
    const seedOf = (i: number): number => deriveSeed(seed, `step ${index} micro-batch ${i}`);
    const selected = micro.map((rows, i) => this.#select(rows, seedOf(i)));
    const tokens = micro.reduce((sum, rows, i) => sum + countTargets(this.dataset, rows, selected[i]), 0);
    const learningRate = learningRateAt(schedule, index);
    const time = lengthAt(this.options.lengthWarmup, this.dataset.time, index);
    const batch = (i: number): MicroBatch => {
      const rows = batchOf(this.dataset, micro[i]!, 1 / Math.max(tokens, 1));
      const cut = time < this.dataset.time ? cutRows(rows, time) : rows;
      return { ...cut, ...(selected[i] && { selected: selected[i] }), seed: seedOf(i) };
    };
    try {
      return {
        type: "step",
        step: index + 1,
        learningRate,
        tokens,
        ...(await run({ index, learningRate, time, batch })),
      };
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
      throw new TrainingError(
        `step ${index + 1}: ${messageOf(error)}; a lower learning rate than ${learningRate} or a longer warm-up may help. Checkpoints are as they were`,
        { cause: error },
      );
    }
  }

  #select(rows: readonly number[], seed: number): Int32Array | undefined {
    if (this.#numSelected === undefined) return undefined;
    return selectTokens(this.dataset, rows, this.#numSelected, new Rng(deriveSeed(seed, "selected tokens")));
  }
}
