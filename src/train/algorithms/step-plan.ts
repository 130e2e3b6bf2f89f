/** @file The plan of a run's steps, made anew where the length of their rows changes. */

import { lengthAt } from "../data/length-warmup.js";
import type { PackedDataset } from "../data/packing.js";
import type { TrainOptions } from "./algorithm.js";

/** Rows of a micro-batch. */
export interface RowShape {
  readonly batchSize: number;
  readonly time: number;
  /** No longer than a row. */
  readonly attentionTile: number;
}

/** One plan at a time: as many positions per micro-batch, in shorter or longer rows. */
export class StepPlan<Plan extends { close(): void }> {
  private constructor(
    private readonly make: (shape: RowShape) => Promise<Plan>,
    private readonly whole: RowShape,
    private time: number,
    private plan: Plan | undefined,
  ) {}

  static async create<Plan extends { close(): void }>(
    { time }: Pick<PackedDataset, "time">,
    { batchSize, attentionTile, lengthWarmup }: Pick<TrainOptions, "batchSize" | "attentionTile" | "lengthWarmup">,
    make: (shape: RowShape) => Promise<Plan>,
  ): Promise<StepPlan<Plan>> {
    const whole = { batchSize, time, attentionTile };
    const first = lengthAt(lengthWarmup, time, 0);
    return new StepPlan(make, whole, first, await make(cutShape(whole, first)));
  }

  /** The plan for rows of so many positions. */
  async of(time: number): Promise<Plan> {
    if (this.plan && time === this.time) return this.plan;
    this.close();
    const plan = await this.make(cutShape(this.whole, time));
    [this.plan, this.time] = [plan, time];
    return plan;
  }

  /** Lets go of the plan's memory too, before another takes its own. */
  close(): void {
    this.plan?.close();
    this.plan = undefined;
  }
}

/** The shape of a micro-batch whose rows are cut into pieces of `time` positions. */
export function cutShape(whole: RowShape, time: number): RowShape {
  return {
    batchSize: (whole.batchSize * whole.time) / time,
    time,
    attentionTile: Math.min(whole.attentionTile, time),
  };
}
