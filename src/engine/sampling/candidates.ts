/** @file The tokens that may be drawn, and the buffers to narrow them in. */

import { DataError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";
import { indicesOfLargest, selectMass } from "./select.js";

/**
 * Candidates of one token: `ids` and `logits`, of which the first `size` count. One object serves any number of
 * requests with the same vocabulary, one after the other. They stay in the order of their ids.
 */
export class Candidates {
  readonly ids: Int32Array;
  readonly logits: Float64Array;
  size = 0;
  readonly #weights: Float64Array;
  readonly #indices: Int32Array;
  #hasWeights = false;

  constructor(vocabSize: number) {
    this.ids = new Int32Array(vocabSize);
    this.logits = new Float64Array(vocabSize);
    this.#weights = new Float64Array(vocabSize);
    this.#indices = new Int32Array(vocabSize);
  }

  /**
   * Begins with all tokens of `logits` [V] but those at minus infinity.
   * @throws DataError where no token is left, or where a logit is no number.
   */
  fill(logits: Float32Array): void {
    const { ids, logits: kept } = this;
    let size = 0;
    // a sum with NaN or plus infinity is not finite
    let sum = 0;
    for (let id = 0; id < logits.length; id++) {
      const logit = logits[id]!;
      if (logit === Number.NEGATIVE_INFINITY) continue;
      ids[size] = id;
      kept[size++] = logit;
      sum += logit;
    }
    this.size = size;
    this.#hasWeights = false;
    if (size === 0) throw noTokenLeft();
    if (!Number.isFinite(sum)) throw damagedLogits();
  }

  divideLogits(divisor: number): void {
    const { logits, size } = this;
    for (let i = 0; i < size; i++) logits[i]! /= divisor;
    this.#hasWeights = false;
  }

  largestLogit(): number {
    const { logits, size } = this;
    let largest = logits[0]!;
    for (let i = 1; i < size; i++) if (logits[i]! > largest) largest = logits[i]!;
    return largest;
  }

  /** Probabilities up to a factor: the first `size` count. */
  weights(): Float64Array {
    if (!this.#hasWeights) {
      const { logits, size } = this;
      const weights = this.#weights;
      const largest = this.largestLogit();
      for (let i = 0; i < size; i++) weights[i] = Math.exp(logits[i]! - largest);
      this.#hasWeights = true;
    }
    return this.#weights;
  }

  totalWeight(): number {
    const weights = this.weights();
    let total = 0;
    for (let i = 0; i < this.size; i++) total += weights[i]!;
    return total;
  }

  /** Keeps the `count` largest logits. */
  keepLargest(count: number): void {
    if (count < this.size) this.#keep(indicesOfLargest(this.logits, this.size, count).sort());
  }

  /** Keeps logits of at least `bound`; the largest stays in any case. */
  keepFrom(bound: number): void {
    const least = Math.min(bound, this.largestLogit());
    let count = 0;
    for (let i = 0; i < this.size; i++) if (this.logits[i]! >= least) this.#indices[count++] = i;
    this.#keep(this.#indices.subarray(0, count));
  }

  /** Keeps the fewest candidates of largest `keys` whose probabilities reach `share`. */
  keepMass(share: number, keys: ArrayLike<number>): void {
    const count = selectMass(this.#indices, this.size, keys, this.weights(), share * this.totalWeight());
    this.#keep(this.#indices.subarray(0, count).sort());
  }

  /** Draws an id; takes one number of `rng`. */
  draw(rng: Rng): number {
    const weights = this.weights();
    let rest = rng.uniform() * this.totalWeight();
    for (let i = 0; i < this.size; i++) {
      rest -= weights[i]!;
      if (rest < 0) return this.ids[i]!;
    }
    return this.ids[this.size - 1]!;
  }

  /** Keeps those at ascending `indices`. */
  #keep(indices: Int32Array): void {
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i]!;
      this.ids[i] = this.ids[from]!;
      this.logits[i] = this.logits[from]!;
      if (this.#hasWeights) this.#weights[i] = this.#weights[from]!;
    }
    this.size = indices.length;
  }
}

export function noTokenLeft(): DataError {
  return new DataError(
    "sampling: no token is left to choose; bannedIds, minTokens and the constraint exclude each other, loosen one",
  );
}

export function damagedLogits(): DataError {
  return new DataError("sampling: a logit is NaN or infinite; the model's weights or its inputs are damaged");
}
