/** @file What a tuning run asks of the training loop. */

import type { FrozenWeights } from "../../compress/index.js";
import type { Tuning } from "../../peft/index.js";
import { lengthGrouped, shuffled, type TrainOptions } from "../../train/index.js";
import { algorithmOf, optimizerOf } from "./tune-algorithm.js";
import type { TuneSettings } from "./tune-config.js";
import { lengthWarmupOf } from "./tune-curriculum.js";
import type { TuneRows } from "./tune-data.js";
import type { TunePlan } from "./tune-plan.js";

/** The loop's options from settings and plan, a curriculum's order of rows apart. */
export function trainOptionsOf(
  settings: TuneSettings,
  tuning: Tuning,
  frozen: FrozenWeights | undefined,
  { shape, steps, accumulate, learningRate }: TunePlan,
  { heldOut }: TuneRows,
): TrainOptions {
  const lengthWarmup = lengthWarmupOf(settings.curriculum, steps, tuning);
  return {
    ...shape,
    ...(lengthWarmup && { lengthWarmup }),
    steps,
    accumulate,
    isTrainable: tuning.isTrainable,
    algorithm: algorithmOf(settings),
    ...(settings.selectedTokens !== undefined && { selectedTokens: settings.selectedTokens }),
    precision: settings.precision,
    ...(frozen && { frozen }),
    optimizer: optimizerOf(settings),
    order: settings.order === "length-grouped" ? lengthGrouped : shuffled,
    weightDecay: settings.weightDecay,
    schedule: {
      name: settings.schedule as TrainOptions["schedule"]["name"],
      peak: learningRate,
      warmupSteps: Math.ceil(steps * settings.warmup),
      totalSteps: steps,
      finalShare: 0,
    },
    clipNorm: settings.clipNorm,
    seed: settings.seed,
    evaluateEvery: heldOut ? Math.max(1, Math.ceil(steps / settings.evaluations)) : 0,
    patience: heldOut ? settings.patience : null,
  };
}
