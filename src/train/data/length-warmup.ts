/** @file Short rows first: rows cut into pieces that grow while a run goes on, over the same tokens in the same order. */

import { ConfigError } from "../../base/errors.js";
import type { MicroBatch } from "../../plan/index.js";

/**
 * Sequence-length warm-up (Li et al. 2021, arXiv:2108.06084): a step's rows are cut into pieces of `start` positions at
 * first, then of twice as many, up to whole rows. Every step learns the same tokens as without it, with less context and
 * less attention; each length gets as many steps as the others.
 */
export interface LengthWarmup {
  /** Positions of the first pieces: the row's length, halved some times. */
  readonly start: number;
  /** Steps before rows are whole. */
  readonly steps: number;
}

/** Lengths of pieces in their order, whole rows left out. @throws ConfigError when `start` is no such part of a row. */
export function warmupLengths({ start }: Pick<LengthWarmup, "start">, time: number): number[] {
  const halvings = Math.log2(time / start);
  if (!Number.isInteger(start) || start < 1 || !Number.isInteger(halvings) || halvings < 1) {
    const possible = Array.from({ length: 8 }, (_, i) => time / 2 ** (i + 1)).filter(Number.isInteger);
    throw new ConfigError(
      `length warm-up: rows of ${time} positions cannot be halved to pieces of ${start}; they can to ${possible.join(", ") || "none, give rows of an even length"}`,
    );
  }
  return Array.from({ length: halvings }, (_, i) => start * 2 ** i);
}

/** Positions per row of step `step`, counted from 0. */
export function lengthAt(warmup: LengthWarmup | undefined, time: number, step: number): number {
  if (!warmup || step >= warmup.steps) return time;
  const lengths = warmupLengths(warmup, time);
  return lengths[Math.floor((step * lengths.length) / warmup.steps)]!;
}

/**
 * The rows of a batch in pieces of `length` positions. Positions of a document that a cut goes through start again at 0
 * behind it, since what is before it cannot be seen.
 */
export function cutRows(batch: MicroBatch, length: number): MicroBatch {
  const { segments } = batch;
  const positions = batch.positions.slice();
  let start = 0;
  for (let i = 0; i < positions.length; i++) {
    if (i % length === 0 || segments?.[i] !== segments?.[i - 1]) start = positions[i]!;
    positions[i]! -= start;
  }
  return { ...batch, positions };
}
