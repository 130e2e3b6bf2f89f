/** @file An endless pass over rows, epoch by epoch. */

import { Rng } from "../../base/rng.js";

/** Micro-batches of an endless pass over the rows, each epoch in an order of its own. */
export class EpochOrder {
  readonly #numRows: number;
  readonly #batchSize: number;
  readonly #orderOf: (epoch: number) => readonly number[];
  #epoch = -1;
  #order: readonly number[] = [];

  /** @param orderOf all rows in the order of an epoch; it must depend on the epoch alone. */
  constructor(numRows: number, batchSize: number, orderOf: (epoch: number) => readonly number[]) {
    this.#numRows = numRows;
    this.#batchSize = batchSize;
    this.#orderOf = orderOf;
  }

  /** Rows of a micro-batch; a row at the seam of two epochs is followed by the first of the next. */
  rowsOf(index: number): number[] {
    return Array.from({ length: this.#batchSize }, (_, i) => this.#row(index * this.#batchSize + i));
  }

  #row(position: number): number {
    const epoch = Math.floor(position / this.#numRows);
    if (epoch !== this.#epoch) [this.#epoch, this.#order] = [epoch, this.#orderOf(epoch)];
    return this.#order[position % this.#numRows]!;
  }
}

/** All rows in random order. */
export function shuffledRows(numRows: number, seed: number): number[] {
  return new Rng(seed).shuffle(Array.from({ length: numRows }, (_, i) => i));
}
