/** @file Which keys a query sees from where it stands, for queries that are a selection of the positions. */

import { equal, gather, greater, greaterEqual, reshape, slice, where } from "../ops/index.js";
import { constant, scalar, type Tensor } from "../tensor.js";

export interface VisibleOptions {
  /** T: positions of a row. */
  readonly time: number;
  /** The keys in question, first … last - 1. Default all. */
  readonly first?: number;
  readonly last?: number;
  /** A query sees itself and the `window - 1` positions before it. */
  readonly window?: number | undefined;
  /** Segment of each position [B, T] (int64): a query sees only keys of its own. */
  readonly segments?: Tensor | undefined;
}

/** Score of a key that must not be seen. Finite, so that no row of scores is all minus infinity. */
export const MASKED = -1e30;

/**
 * What is added to the scores of queries at `places` [B, Q] int64 (row · T + position): 0 for keys that they see, MASKED
 * for others, [B, 1, Q, keys].
 */
export function visibleFrom(
  places: Tensor,
  { time, first = 0, last = time, window, segments }: VisibleOptions,
): Tensor {
  const [batch, count] = places.shape as readonly [number, number];
  const ofQueries = (x: Tensor): Tensor => reshape(x, [batch, 1, count, 1]);
  const ofKeys = (x: Tensor): Tensor => reshape(slice(x, 1, first, last), [batch, 1, 1, last - first]);
  const at = ofQueries(places);
  const conditions = [greaterEqual(at, ofKeys(allPlaces(batch, time, 0)))];
  if (window !== undefined && window < time) conditions.push(greater(ofKeys(allPlaces(batch, time, window)), at));
  if (segments) {
    const ofPlaces = gather(reshape(segments, [batch * time]), places);
    conditions.push(equal(ofQueries(ofPlaces), ofKeys(segments)));
  }
  return conditions.reduce((bias, one) => where(one, bias, MASKED), scalar(0));
}

/** Places of all positions, each moved by `shift`, [B, T] int64. */
function allPlaces(batch: number, time: number, shift: number): Tensor {
  const data = BigInt64Array.from({ length: batch * time }, (_, i) => BigInt(i + shift));
  return constant({ dtype: "int64", shape: [batch, time], data });
}
