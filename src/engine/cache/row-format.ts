/** @file How rows of keys and values lie in blocks, and how the graph reads them. */

import type { DType, TypedArray } from "../../base/dtype.js";
import { gather, type Tensor } from "../../graph/index.js";

/** One array of what is kept of rows. */
export interface RowPart {
  /** Follows the name of the pool. */
  readonly suffix: string;
  readonly dtype: DType;
  /** Elements per row. */
  readonly size: number;
}

export interface RowFormat {
  /** What is kept of a row of `width` float32 elements. */
  parts(width: number): readonly RowPart[];
  /** Rows of the pools, each [N, blockTokens · size], by `blocks` [B, G, K] → [B, G, K, blockTokens · width] float32. */
  gather(pools: readonly Tensor[], blocks: Tensor, width: number): Tensor;
  /** Writes a row's values to place `row` of each part. */
  store(parts: readonly TypedArray[], row: number, values: Float32Array): void;
}

/** Rows as they are. */
export const float32Rows: RowFormat = {
  parts: (width) => [{ suffix: "", dtype: "float32", size: width }],
  gather: ([pool], blocks) => gather(pool!, blocks),
  store: ([pool], row, values) => (pool as Float32Array).set(values, row * values.length),
};
