/** @file Relative positions in buckets, each with a bias per head (T5, Raffel et al. 2020, arXiv:1910.10683, section 2.1). */

import { type HostTensor, zeros } from "../../base/host-tensor.js";
import { gather, reshape, type Tensor, transpose } from "../../graph/index.js";

export interface BucketOptions {
  /** Half of the buckets for keys before the query, half for those after. Otherwise later keys share bucket 0. */
  readonly isBidirectional: boolean;
  readonly numBuckets: number;
  /** Distances from here on share the last bucket. */
  readonly maxDistance: number;
}

/**
 * Bucket of a key at `key - query`: one per distance for the nearer half, then logarithmically wider ones. Computed in
 * float32 like the reference, so that distances at a border fall on the same side.
 */
export function relativeBucket(relative: number, { isBidirectional, numBuckets, maxDistance }: BucketOptions): number {
  const count = isBidirectional ? numBuckets / 2 : numBuckets;
  const offset = isBidirectional && relative > 0 ? count : 0;
  const distance = isBidirectional ? Math.abs(relative) : Math.max(-relative, 0);
  const exact = Math.floor(count / 2);
  if (distance < exact) return offset + distance;
  const { fround } = Math;
  const ratio = fround(fround(Math.log(fround(distance / exact))) / fround(Math.log(maxDistance / exact)));
  return offset + Math.min(exact + Math.trunc(fround(ratio * (count - exact))), count - 1);
}

/** Buckets [numQueries, numKeys] int64 of queries at `firstQuery`, `firstQuery + 1`, … against keys from 0 on. */
export function bucketTable(
  numQueries: number,
  numKeys: number,
  options: BucketOptions & { readonly firstQuery?: number },
): HostTensor {
  const first = options.firstQuery ?? 0;
  const table = zeros("int64", [numQueries, numKeys]);
  const data = table.data as BigInt64Array;
  for (let query = 0; query < numQueries; query++) {
    for (let key = 0; key < numKeys; key++) {
      data[query * numKeys + key] = BigInt(relativeBucket(key - query - first, options));
    }
  }
  return table;
}

/** weight [buckets, H], buckets [Tq, Tk] int64 → bias of scores [1, H, Tq, Tk]. */
export function bucketBias(weight: Tensor, buckets: Tensor): Tensor {
  const [queries, keys] = buckets.shape;
  const numHeads = weight.shape[1]!;
  return reshape(transpose(gather(weight, buckets), [2, 0, 1]), [1, numHeads, queries!, keys!]);
}
