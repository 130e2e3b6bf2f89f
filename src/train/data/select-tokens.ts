/** @file Which positions of a micro-batch are differentiated, where not all are. */

import type { Rng } from "../../base/rng.js";
import type { PackedDataset } from "./packing.js";

/**
 * `count` positions of each row, drawn evenly from its tokens and then from its padding; a row with targets has one of them
 * at least. Ascending, counted through the micro-batch (row · T + position).
 */
export function selectTokens(
  { time, weights, segments }: PackedDataset,
  rows: readonly number[],
  count: number,
  rng: Rng,
): Int32Array {
  const selected = new Int32Array(rows.length * count);
  for (const [i, row] of rows.entries()) {
    const isToken = (position: number): boolean => (segments[row * time + position] ?? -1) >= 0;
    const isTarget = (position: number): boolean => (weights[row * time + position] ?? 0) > 0;
    const shuffled = rng.shuffle(Array.from({ length: time }, (_, position) => position));
    const order = [...shuffled.filter(isToken), ...shuffled.filter((position) => !isToken(position))];
    const drawn = order.slice(0, count);
    const target = drawn.some(isTarget) ? undefined : order.find(isTarget);
    if (target !== undefined) drawn[count - 1] = target;
    const places = drawn.sort((a, b) => a - b).map((position) => i * time + position);
    selected.set(places, i * count);
  }
  return selected;
}
