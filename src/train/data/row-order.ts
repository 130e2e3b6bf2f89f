/** @file Orders of rows other than a plain shuffle: rows of like length together, and from easy to hard. */

import { ConfigError } from "../../base/errors.js";
import { EpochOrder, shuffledRows } from "./epoch-order.js";
import { BatchOrder, type PackedDataset } from "./packing.js";

/** Which rows a micro-batch has. It depends on what it was made of and the index alone, so that a run can be resumed. */
export interface RowOrder {
  rowsOf(index: number): number[];
}

/** Makes the order of a run. */
export type OrderRule = (dataset: PackedDataset, batchSize: number, seed: number) => RowOrder;

/** Every row once per epoch, in a random order. */
export const shuffled: OrderRule = (dataset, batchSize, seed) => new BatchOrder(dataset, batchSize, seed);

/** Micro-batches, at most, whose rows are sorted together. */
const maxGroupedBatches = 50;

/**
 * Rows of like length in one micro-batch, from a new shuffle each epoch: groups of up to 50 micro-batches are sorted
 * from long to short. What a row holds counts, not its padding.
 */
export const lengthGrouped: OrderRule = (dataset, batchSize, seed) => {
  const lengths = rowLengths(dataset);
  const numBatches = Math.max(1, Math.min(Math.floor(dataset.numRows / (4 * batchSize)), maxGroupedBatches));
  return new EpochOrder(dataset.numRows, batchSize, (epoch) => {
    const rows = shuffledRows(dataset.numRows, seed + epoch);
    return groupsOf(rows, numBatches * batchSize).flatMap((group) => group.sort((a, b) => lengths[b]! - lengths[a]!));
  });
};

/**
 * A curriculum: the first epoch goes from the lowest score to the highest, equal ones shuffled; later epochs are shuffled.
 * @param scores one for each row; default their lengths (`rowLengths`).
 * @throws ConfigError when there are not as many scores as rows.
 */
export function curriculum(scores?: ArrayLike<number>): OrderRule {
  return (dataset, batchSize, seed) => {
    const given = scores ?? rowLengths(dataset);
    if (given.length !== dataset.numRows) {
      throw new ConfigError(`curriculum: ${given.length} scores for ${dataset.numRows} rows; see rowScores`);
    }
    return new EpochOrder(dataset.numRows, batchSize, (epoch) => {
      const rows = shuffledRows(dataset.numRows, seed + epoch);
      return epoch > 0 ? rows : rows.sort((a, b) => given[a]! - given[b]!);
    });
  };
}

/** Positions with a token, by row. */
export function rowLengths({ time, numRows, segments }: PackedDataset): Int32Array {
  const lengths = new Int32Array(numRows);
  for (const [at, document] of segments.entries()) if (document >= 0) lengths[Math.floor(at / time)]!++;
  return lengths;
}

/** Tokens of each document in all of its parts, by its index. */
export function documentLengths({ segments }: PackedDataset): Int32Array {
  const count = segments.reduce((most, document) => Math.max(most, document), -1) + 1;
  const lengths = new Int32Array(count);
  for (const document of segments) if (document >= 0) lengths[document]!++;
  return lengths;
}

/**
 * Mean score of a row's tokens, from scores of documents.
 * @param scores by index of the packed documents. `packDocuments` does not count those of fewer than two tokens.
 */
export function rowScores({ time, numRows, segments }: PackedDataset, scores: ArrayLike<number>): Float64Array {
  const [sums, counts] = [new Float64Array(numRows), new Int32Array(numRows)];
  for (const [at, document] of segments.entries()) {
    if (document < 0) continue;
    const row = Math.floor(at / time);
    sums[row]! += scores[document]!;
    counts[row]!++;
  }
  return sums.map((sum, row) => sum / Math.max(1, counts[row]!));
}

function groupsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
