/** @file The curriculum of a tuning run: short rows before long ones, easy rows before hard ones. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import type { Parameters } from "../../nn/index.js";
import type { Tuning } from "../../peft/index.js";
import { describeTraining, forwardFlops, type TrainDescription } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import {
  curriculum,
  cutShape,
  documentLengths,
  type LengthWarmup,
  lengthAt,
  type PackedDataset,
  rowLosses,
  rowScores,
  type TrainOptions,
} from "../../train/index.js";

export const curriculumSchema = z.strictObject({
  start: z
    .int()
    .min(1)
    .optional()
    .describe("Positions of the first rows: the row's length, halved some times. Rows are cut to it, then to twice …"),
  share: z.number().gt(0).lt(1).default(0.5).describe("Share of the steps before rows are whole."),
  difficulty: z
    .enum(["length", "loss"])
    .optional()
    .describe("Rows of the first epoch from easy to hard: by their documents' lengths, or by the base's loss on them."),
});

export type Curriculum = z.output<typeof curriculumSchema>;

/** The lengths of a run's rows by step. @throws ConfigError for placeholders, which every piece of a row would need. */
export function lengthWarmupOf(
  settings: Curriculum | undefined,
  steps: number,
  { numVirtualTokens }: Pick<Tuning, "numVirtualTokens">,
): LengthWarmup | undefined {
  if (settings?.start === undefined) return undefined;
  if (numVirtualTokens > 0) {
    throw new ConfigError(
      "tuning: rows that begin with virtual tokens cannot be cut; leave out the curriculum's start, or the method",
    );
  }
  return { start: settings.start, steps: Math.round(steps * settings.share) };
}

/** A run's time over that of as many steps of whole rows, by operations: fewer keys are looked at from shorter rows. */
export function warmupCost(
  { model, options }: TrainDescription,
  steps: number,
  warmup: LengthWarmup | undefined,
): number {
  const flops = new Map<number, number>();
  const at = (time: number): number => {
    const known = flops.get(time);
    if (known !== undefined) return known;
    const found = forwardFlops(describeTraining(model, { ...options, ...cutShape(options, time) }));
    flops.set(time, found);
    return found;
  };
  let sum = 0;
  for (let step = 0; step < steps; step++) sum += at(lengthAt(warmup, options.time, step));
  return sum / (steps * at(options.time));
}

/** The order of rows that a curriculum asks for; the loss is that of the parameters as they are. */
export async function orderOf(
  settings: Curriculum | undefined,
  runtime: Runtime,
  { model }: Pick<Tuning, "model">,
  parameters: Parameters,
  rows: PackedDataset,
  shape: Pick<TrainOptions, "attentionTile" | "lossTile">,
): Promise<Pick<TrainOptions, "order">> {
  if (settings?.difficulty === undefined) return {};
  const scores =
    settings.difficulty === "length"
      ? rowScores(rows, documentLengths(rows))
      : await rowLosses(runtime, model, parameters, rows, shape);
  return { order: curriculum(scores) };
}
