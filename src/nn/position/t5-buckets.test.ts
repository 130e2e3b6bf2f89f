import { describe, expect, it } from "vitest";
import { grad, input, interpret, reference } from "../../graph/index.js";
import { bucketBias, bucketTable, relativeBucket } from "./t5-buckets.js";

/** Runs [first distance, bucket] of T5Attention._relative_position_bucket over -3000 … 2999; transformers 5.18, torch 2.13. */
const runs: [boolean, number, number, [number, number][]][] = [
  // biome-ignore format: a table
  [true, 32, 128, [[-3000, 15], [-90, 14], [-63, 13], [-45, 12], [-31, 11], [-22, 10], [-15, 9], [-11, 8], [-7, 7], [-6, 6], [-5, 5], [-4, 4], [-3, 3], [-2, 2], [-1, 1], [0, 0], [1, 17], [2, 18], [3, 19], [4, 20], [5, 21], [6, 22], [7, 23], [8, 24], [12, 25], [16, 26], [23, 27], [32, 28], [46, 29], [64, 30], [91, 31]]],
  // biome-ignore format: a table
  [false, 32, 128, [[-3000, 31], [-112, 30], [-98, 29], [-86, 28], [-76, 27], [-66, 26], [-58, 25], [-51, 24], [-45, 23], [-39, 22], [-34, 21], [-30, 20], [-26, 19], [-23, 18], [-20, 17], [-18, 16], [-15, 15], [-14, 14], [-13, 13], [-12, 12], [-11, 11], [-10, 10], [-9, 9], [-8, 8], [-7, 7], [-6, 6], [-5, 5], [-4, 4], [-3, 3], [-2, 2], [-1, 1], [0, 0]]],
  [true, 8, 20, [[-3000, 3], [-6, 2], [-1, 1], [0, 0], [1, 5], [2, 6], [7, 7]]], // biome-ignore format: a table
  // biome-ignore format: a table
  [false, 12, 50, [[-3000, 11], [-35, 10], [-24, 9], [-17, 8], [-12, 7], [-8, 6], [-5, 5], [-4, 4], [-3, 3], [-2, 2], [-1, 1], [0, 0]]],
];

describe("T5 buckets", () => {
  it.each(runs)(
    "equal the reference: bidirectional %s, %i buckets to %i",
    (isBidirectional, numBuckets, maxDistance, expected) => {
      const found: [number, number][] = [];
      for (let relative = -3000; relative < 3000; relative++) {
        const bucket = relativeBucket(relative, { isBidirectional, numBuckets, maxDistance });
        if (found.at(-1)?.[1] !== bucket) found.push([relative, bucket]);
      }
      expect(found).toEqual(expected);
    },
  );

  it("are the same for a later query, row for row", () => {
    const options = { isBidirectional: false, numBuckets: 8, maxDistance: 20 };
    const whole = bucketTable(12, 12, options);
    const last = bucketTable(1, 12, { ...options, firstQuery: 11 });
    expect([...last.data]).toEqual([...whole.data.subarray(11 * 12)]);
  });

  it("become a bias per head whose gradient counts the pairs of each bucket", () => {
    const options = { isBidirectional: true, numBuckets: 4, maxDistance: 8 };
    const [weight, buckets] = [input("w", "float32", [4, 2]), input("b", "int64", [3, 3])];
    const ct = input("ct", "float32", [1, 2, 3, 3]);
    const bias = bucketBias(weight, buckets);
    const rows = Float64Array.from(bucketTable(3, 3, options).data as BigInt64Array, Number);
    const feeds = new Map([
      [weight, reference("float32", [4, 2], Float64Array.of(0, 1, 10, 11, 20, 21, 30, 31))],
      [buckets, reference("int64", [3, 3], rows)],
      [ct, reference("float32", [1, 2, 3, 3], new Float64Array(18).fill(1))],
    ]);
    const [value, gradient] = interpret([bias, grad([{ output: bias, cotangent: ct }], [weight])[0]!], feeds);
    expect([...value!.data]).toEqual([...rows].map((r) => 10 * r).concat([...rows].map((r) => 10 * r + 1)));
    const counts = [0, 1, 2, 3].map((bucket) => rows.filter((r) => r === bucket).length);
    expect([...gradient!.data]).toEqual(counts.flatMap((count) => [count, count]));
  });
});
