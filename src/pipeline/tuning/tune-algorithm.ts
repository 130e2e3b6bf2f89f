/** @file What the way to train decides of a tuning run's settings: defaults, and what contradicts it. */

import { ConfigError } from "../../base/errors.js";
import type { Precision } from "../../plan/index.js";
import {
  type AlgorithmName,
  algorithms,
  lomo,
  mezo,
  type OptimizerName,
  type OptimizerRule,
  optimizers,
  type TrainingAlgorithm,
} from "../../train/index.js";

/** Settings as the schema leaves them. */
export interface AlgorithmSettings {
  readonly algorithm: AlgorithmName;
  readonly epsilon?: number | undefined;
  readonly clipValue?: number | undefined;
  readonly selectedTokens?: number | undefined;
  readonly optimizer?: OptimizerName | undefined;
  readonly clipNorm?: number | null | undefined;
}

interface Way {
  readonly optimizer: OptimizerName;
  readonly clipNorm: number | null;
  /** Keys of the configuration that not every way has. */
  readonly keys: readonly (keyof AlgorithmSettings)[];
  make(settings: AlgorithmSettings): TrainingAlgorithm;
  /** Peak of the learning rate, for parameters that start at nothing and for weights that know something. */
  readonly learningRate?: { readonly added: number; readonly base: number };
}

const ways: Readonly<Record<AlgorithmName, Way>> = {
  backprop: { optimizer: "adamw", clipNorm: 1, keys: ["selectedTokens"], make: algorithms.backprop },
  lomo: {
    optimizer: "sgd",
    clipNorm: 1,
    keys: ["clipValue", "selectedTokens"],
    make: ({ clipValue }) => lomo(clipValue === undefined ? {} : { clipValue }),
    learningRate: { added: 0.03, base: 0.03 },
  },
  mezo: {
    optimizer: "sgd",
    clipNorm: null,
    keys: ["epsilon"],
    make: ({ epsilon }) => mezo(epsilon === undefined ? {} : { epsilon }),
    learningRate: { added: 1e-4, base: 1e-6 },
  },
};

/** Optimiser and clipping where nothing else is said. @throws ConfigError for keys of another way to train. */
export function algorithmDefaults(settings: AlgorithmSettings): { optimizer: OptimizerName; clipNorm: number | null } {
  const { algorithm, optimizer, clipNorm } = settings;
  const way = ways[algorithm];
  for (const [name, { keys }] of Object.entries(ways)) {
    const foreign = keys.find((key) => settings[key] !== undefined && !way.keys.includes(key));
    if (foreign)
      throw new ConfigError(`tuning: "${foreign}" is an option of algorithm "${name}", not of "${algorithm}"`);
  }
  const chosen = optimizer ?? way.optimizer;
  if (algorithm !== "backprop" && chosen !== "sgd")
    throw new ConfigError(
      `tuning: algorithm "${algorithm}" takes plain SGD steps, since an optimiser's states are what it saves; leave out optimizer "${chosen}"`,
    );
  if (algorithm === "mezo" && typeof clipNorm === "number")
    throw new ConfigError(`tuning: algorithm "mezo" has no gradients to clip; leave out clipNorm ${clipNorm}`);
  // clipped by value, gradients are not clipped by length too unless both are asked for, which is refused
  const usual = settings.clipValue === undefined ? way.clipNorm : null;
  return { optimizer: chosen, clipNorm: clipNorm === undefined ? usual : clipNorm };
}

/** @throws ConfigError for a precision that the algorithm has no use for, or cannot keep. */
export function checkPrecision({ algorithm, precision }: AlgorithmSettings & { readonly precision: Precision }): void {
  if (algorithm === "mezo" && precision !== "float32")
    throw new ConfigError(
      `tuning: algorithm "mezo" has forward passes alone, which keep nothing in ${precision}; leave out precision`,
    );
  if (algorithm === "lomo" && precision === "float16")
    throw new ConfigError(
      'tuning: with algorithm "lomo" gradients are used up before all are known, so that a step that overflows float16 could not be skipped; give precision "bfloat16"',
    );
}

export const algorithmOf = (settings: AlgorithmSettings): TrainingAlgorithm => ways[settings.algorithm].make(settings);

/** The optimiser with its options. @throws ConfigError for `beta2` of one that has none. */
export function optimizerOf({
  optimizer,
  beta2,
}: {
  optimizer: OptimizerName;
  beta2?: number | undefined;
}): OptimizerRule {
  if (beta2 === undefined) return optimizers[optimizer]();
  if (optimizer === "adamw" || optimizer === "adamw8bit") return optimizers[optimizer]({ beta2 });
  throw new ConfigError(`tuning: "beta2" is an option of adamw and adamw8bit, not of "${optimizer}"`);
}

/** Peak of the learning rate; undefined where the method decides. */
export function algorithmRate(algorithm: AlgorithmName, hasAdded: boolean): number | undefined {
  return ways[algorithm].learningRate?.[hasAdded ? "added" : "base"];
}
