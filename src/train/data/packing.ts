/** @file Token documents packed into rows of one length, so that no position is wasted and no document sees another. */

import { DataError } from "../../base/errors.js";
import type { MicroBatch } from "../../plan/index.js";
import { EpochOrder, shuffledRows } from "./epoch-order.js";

/** Rows of `time` positions. Positions after the last document have weight 0. */
export interface PackedDataset {
  readonly time: number;
  readonly numRows: number;
  /** Positions that count in the loss. */
  readonly numTokens: number;
  /** [rows · time] each. */
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  readonly weights: Float32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
}

/** One document: token ids, and optionally which of them are to be learned. */
export interface TokenDocument {
  readonly ids: Int32Array;
  /** 1 where the token is a target, 0 where it is only read. All are targets by default. */
  readonly targets?: Uint8Array;
}

/**
 * Lays documents end to end and cuts the line into rows. Each position predicts the next token of its own document; a
 * document that goes on in the next row starts there with position 0, since it cannot see the row before.
 * @throws DataError when no document has two tokens.
 */
export function packDocuments(documents: Iterable<TokenDocument>, time: number): PackedDataset {
  const pieces = [...documents].filter(({ ids }) => ids.length >= 2);
  const total = pieces.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  if (total === 0) throw new DataError("nothing to train on: every document has fewer than two tokens");
  const numRows = Math.ceil(total / time);
  const size = numRows * time;
  const packed = {
    ids: new Int32Array(size),
    labels: new Int32Array(size),
    weights: new Float32Array(size),
    positions: new Int32Array(size),
    segments: new Int32Array(size),
  };
  let at = 0;
  let numTokens = 0;
  for (const [segment, { ids, targets }] of pieces.entries()) {
    let start = at;
    for (let i = 0; i + 1 < ids.length; i++, at++) {
      if (at % time === 0) start = at;
      const weight = targets?.[i + 1] ?? 1;
      packed.ids[at] = ids[i]!;
      packed.labels[at] = ids[i + 1]!;
      packed.weights[at] = weight;
      packed.positions[at] = at - start;
      packed.segments[at] = segment;
      numTokens += weight;
    }
  }
  packed.segments.fill(-1, at);
  return { time, numRows, numTokens, ...packed };
}

/** Micro-batch `index` of an endless pass over the rows, in an order that depends on the seed and the epoch alone. */
export class BatchOrder extends EpochOrder {
  constructor({ numRows }: PackedDataset, batchSize: number, seed: number) {
    super(numRows, batchSize, (epoch) => shuffledRows(numRows, seed + epoch));
  }
}

/** The rows of a dataset as a batch, with weights multiplied by `scale`. Rows beyond the last one are empty. */
export function batchOf(dataset: PackedDataset, rows: readonly number[], scale: number): MicroBatch {
  const { time } = dataset;
  const gathered = <T extends Int32Array | Float32Array>(from: T, out: T): T => {
    for (const [i, row] of rows.entries()) {
      if (row < dataset.numRows) out.set(from.subarray(row * time, (row + 1) * time), i * time);
    }
    return out;
  };
  const ints = (from: Int32Array): Int32Array => gathered(from, new Int32Array(rows.length * time));
  const weights = gathered(dataset.weights, new Float32Array(rows.length * time));
  for (let i = 0; i < weights.length; i++) weights[i]! *= scale;
  return {
    ids: ints(dataset.ids),
    labels: ints(dataset.labels),
    weights,
    positions: ints(dataset.positions),
    segments: ints(dataset.segments),
  };
}

/** Sum of the weights of some rows; of their `selected` positions alone where given (`selectTokens`). */
export function countTargets(dataset: PackedDataset, rows: readonly number[], selected?: Int32Array): number {
  const { time, weights } = dataset;
  let sum = 0;
  if (selected) {
    for (const place of selected) sum += weights[rows[Math.floor(place / time)]! * time + (place % time)] ?? 0;
    return sum;
  }
  for (const row of rows) {
    for (let i = row * time; i < (row + 1) * time; i++) sum += weights[i] ?? 0;
  }
  return sum;
}
