/**
 * @file LOMO (Lv et al. 2023, arXiv:2306.09782): gradient and update are one, so that no more than a layer's gradients are
 * alive at once.
 */

import { ConfigError } from "../../base/errors.js";
import { type OptimizerRule, statesOf } from "../optim/index.js";
import type { TrainingAlgorithm } from "./algorithm.js";
import { StreamedTrainer, type StreamOptions } from "./streamed.js";

export type LomoOptions = Partial<StreamOptions>;

/**
 * Stochastic gradient descent bit for bit, with the buffers of one layer's gradients. `clipNorm` takes a second backward
 * pass per step (section 3.3); `clipValue` (default null) takes none, and may turn the step's direction.
 * @throws ConfigError at the start of a run when its optimiser keeps states, it has several micro-batches per step, or
 * gradients are to be clipped in both ways.
 */
export function lomo({ clipValue = null }: LomoOptions = {}): TrainingAlgorithm {
  if (clipValue !== null && !(clipValue > 0))
    throw new ConfigError(`lomo: clipValue must be above 0 or null, got ${clipValue}`);
  return {
    name: "lomo",
    gradients: "layer",
    createTrainer: async (context, dataset, options) => {
      expectPlainSgd("lomo", options.optimizer);
      if (clipValue !== null && options.clipNorm !== null)
        throw new ConfigError("lomo clips by value or by length: set clipValue or clipNorm to null");
      return StreamedTrainer.create(context, dataset, { ...options, clipValue });
    },
  };
}

/** @throws ConfigError for any other rule than SGD without momentum: what the algorithm saves would go into its states. */
export function expectPlainSgd(algorithm: string, rule: OptimizerRule): void {
  if (rule.name === "sgd" && Object.keys(statesOf(rule, [1])).length === 0) return;
  throw new ConfigError(
    `${algorithm} takes plain SGD steps: expected the optimiser sgd without momentum, got ${rule.name}`,
  );
}
