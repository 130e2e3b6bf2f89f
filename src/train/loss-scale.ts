/**
 * @file Dynamic loss scaling: gradients that lie in float16 are multiplied out of its subnormals, by as much as its range
 * bears (Micikevicius et al. 2018, arXiv:1710.03740, section 3.2).
 */

import { CheckpointError, ConfigError, TrainingError } from "../base/errors.js";
import type { JsonValue } from "../checkpoint/index.js";
import type { Precision } from "../plan/index.js";

/**
 * The loss scale of a run that needs one: that of float16.
 * @throws ConfigError when options are given for another precision.
 */
export function lossScaleOf({
  precision = "float32",
  lossScale,
}: {
  readonly precision?: Precision;
  readonly lossScale?: LossScaleOptions;
}): LossScale | undefined {
  if (precision === "float16") return new LossScale(lossScale);
  if (!lossScale) return undefined;
  throw new ConfigError(`training: a loss scale goes with precision float16, not with ${precision}; leave it out`);
}

export interface LossScaleOptions {
  /** Factor at the start. Default 2^16, as in PyTorch. */
  readonly start?: number;
  /** Steps without overflow after which the factor is doubled. Default 2000. */
  readonly growEvery?: number;
}

/** The factor of a run's loss, halved when a gradient overflows and doubled after many steps without. */
export class LossScale {
  #scale: number;
  #stepsSince = 0;
  #skipped = 0;
  readonly #growEvery: number;

  /** @throws ConfigError unless the start is a power of two, which keeps all bits, and the steps are a whole number from 1 on. */
  constructor({ start = 2 ** 16, growEvery = 2000 }: LossScaleOptions = {}) {
    if (!(start >= 1 && Number.isInteger(Math.log2(start))) || !(Number.isInteger(growEvery) && growEvery > 0)) {
      throw new ConfigError(
        `loss scale: expected a power of two from 1 on to start with and a whole number of steps, got ${start} and ${growEvery}`,
      );
    }
    this.#scale = start;
    this.#growEvery = growEvery;
  }

  /** What the loss is multiplied by; gradients are to be divided by it. */
  get scale(): number {
    return this.#scale;
  }

  /** Steps that were skipped so far: the optimiser has taken so many fewer. */
  get skipped(): number {
    return this.#skipped;
  }

  /** After a step whose gradients were finite. */
  advance(): void {
    this.#stepsSince++;
    if (this.#stepsSince < this.#growEvery) return;
    this.#scale *= 2;
    this.#stepsSince = 0;
  }

  /** After a step whose gradients were not, and which was skipped. @throws TrainingError when there is nothing left to halve. */
  backOff(): void {
    if (this.#scale === 1)
      throw new TrainingError("gradients overflow float16 without any scaling; bfloat16 has the range");
    this.#scale /= 2;
    this.#stepsSince = 0;
    this.#skipped++;
  }

  save(): JsonValue {
    return { scale: this.#scale, stepsSince: this.#stepsSince, skipped: this.#skipped };
  }

  /** @throws CheckpointError when it is not what `save` gave. */
  load(state: JsonValue | undefined): void {
    const { scale, stepsSince, skipped } = (state ?? {}) as Readonly<Record<string, JsonValue>>;
    if (typeof scale !== "number" || typeof stepsSince !== "number" || typeof skipped !== "number") {
      throw new CheckpointError(
        "the checkpoint holds no loss scale; it is not of a run in float16, remove the folder to start over",
      );
    }
    this.#scale = scale;
    this.#stepsSince = stepsSince;
    this.#skipped = skipped;
  }
}
