/** @file The model's tables for a batch whose sequences may need different ones: all of them, one below the other. */

import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import type { LanguageModel } from "../nn/index.js";
import type { Feeds } from "../runtime/index.js";

/**
 * LongRoPE has other tables for sequences above a length, from their first position on. Rows of the long tables lie below
 * those of the short ones, so a sequence chooses by an offset to its positions.
 */
export class PositionTables {
  /** `table.<name>` of every table. */
  readonly feeds: Feeds;
  readonly #changesAfter: number;

  constructor(model: LanguageModel, numPositions: number) {
    const change = model.tablesChangeAfter ?? numPositions;
    const lengths = change < numPositions ? [change, numPositions] : [numPositions];
    this.#changesAfter = change < numPositions ? change : Number.POSITIVE_INFINITY;
    const parts = lengths.map((length) => model.tables(length));
    this.feeds = Object.fromEntries(
      Object.keys(parts[0]!).map((name) => [`table.${name}`, stacked(parts.map((part) => part[name]!))]),
    );
  }

  /** Which tables a sequence of this length has: 0, or 1 for the long ones. What was cached under the other is void. */
  variantOf(length: number): number {
    return length > this.#changesAfter ? 1 : 0;
  }

  /** What is added to a position to find its row. */
  offsetOf(variant: number): number {
    return variant === 0 ? 0 : this.#changesAfter;
  }
}

/** Tables [P, ...], one below the other. */
function stacked(tables: readonly HostTensor[]): HostTensor {
  const [first, ...rest] = tables;
  if (rest.length === 0) return first!;
  const data = tables.flatMap((table) => [...(table.data as Float32Array)]);
  const length = tables.reduce((sum, { shape }) => sum + shape[0]!, 0);
  return hostTensor("float32", [length, ...first!.shape.slice(1)], Float32Array.from(data));
}
