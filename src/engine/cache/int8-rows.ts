/** @file Keys and values in 8 bits, a scale for each row of each head: a quarter of the memory, nearly the same text. */

import { cast, gather, mul, reshape } from "../../graph/index.js";
import type { CachePolicy } from "./cache.js";
import { PagedCache } from "./paged.js";
import type { RowFormat } from "./row-format.js";

const LARGEST = 127;

/** Levels, and what a level of 1 stands for: largest magnitude / 127. */
export const int8Format: RowFormat = {
  parts: (width) => [
    { suffix: "", dtype: "int8", size: width },
    { suffix: "Scales", dtype: "float32", size: 1 },
  ],
  gather: ([levels, scales], blocks, width) => {
    const rows = gather(levels!, blocks); // [B, G, K, blockTokens · width]
    const [batch, heads, count] = rows.shape;
    const apart = (size: number) => [batch!, heads!, count!, Number(rows.shape[3]) / width, size];
    const factors = reshape(gather(scales!, blocks), apart(1));
    return reshape(mul(cast(reshape(rows, apart(width)), "float32"), factors), rows.shape);
  },
  store: ([levels, scales], row, values) => {
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    const scale = largest / LARGEST;
    scales![row] = scale;
    const start = row * values.length;
    for (let i = 0; i < values.length; i++) levels![start + i] = scale === 0 ? 0 : Math.round(values[i]! / scale);
  },
};

/** Tokens per block. */
const BLOCK_TOKENS = 16;

/**
 * As `paged`, with rows rounded to 8 bits once they are computed, one scale per token and head (per-token quantisation in the
 * words of KIVI, Liu et al. 2024, arXiv:2402.02750): (C + 4) / 4 C of the memory for heads of C. The kernel's own quantised
 * cache has one scale per tensor or channel, fixed beforehand, so rows are made whole again as they are gathered. The tokens of
 * a run see each other unrounded. Not lossless: an error of at most 1/254 of a row's largest element.
 */
export const int8Rows: CachePolicy = {
  name: "int8-rows",
  isLossless: false,
  noTruncation: "the tokens of a run see each other unrounded, so what was computed ahead of a text changes it",
  create: (model, options) => new PagedCache(model, options, BLOCK_TOKENS, int8Format),
};
