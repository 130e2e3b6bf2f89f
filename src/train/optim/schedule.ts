/** @file Learning rates over the course of a run. */

import { ConfigError } from "../../base/errors.js";

export interface Schedule {
  readonly name: keyof typeof decays;
  /** Highest learning rate, reached after the warm-up. */
  readonly peak: number;
  /** Steps over which the rate grows linearly from near 0. */
  readonly warmupSteps: number;
  /** Steps of the whole run. */
  readonly totalSteps: number;
  /** Rate at the end, as a share of the peak. */
  readonly finalShare: number;
}

/** Share of the way from the peak down to the final rate, by progress in 0 … 1. */
const decays = {
  constant: () => 0,
  linear: (progress: number) => progress,
  /** Half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, one cycle). */
  cosine: (progress: number) => (1 - Math.cos(Math.PI * progress)) / 2,
} as const;

export const scheduleNames = Object.keys(decays) as (keyof typeof decays)[];

/** Learning rate of step `step`, counted from 0. @throws ConfigError when the numbers make no schedule. */
export function learningRateAt({ name, peak, warmupSteps, totalSteps, finalShare }: Schedule, step: number): number {
  if (!(peak > 0) || warmupSteps < 0 || totalSteps < 1 || finalShare < 0 || finalShare > 1) {
    throw new ConfigError(
      `schedule: expected a positive peak, warm-up and total steps and a final share in 0 … 1, got ${JSON.stringify({ peak, warmupSteps, totalSteps, finalShare })}`,
    );
  }
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - 1 - warmupSteps));
  return peak * (1 - (1 - finalShare) * decays[name](progress));
}
