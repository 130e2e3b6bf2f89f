/** @file One vector for a sequence: pooling of hidden states and normalisation (Reimers and Gurevych 2019, arXiv:1908.10084, section 3). */

import { ConfigError } from "../base/errors.js";
import {
  add,
  cast,
  concat,
  div,
  maximum,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  slice,
  sqrt,
  type Tensor,
  where,
} from "../graph/index.js";

/**
 * cls: the first position. mean, max: over tokens. mean_sqrt_len: the sum over the root of the number of tokens.
 * lasttoken: the last position that holds a token.
 */
export const poolingModes = ["cls", "max", "mean", "mean_sqrt_len", "lasttoken"] as const;
export type PoolingMode = (typeof poolingModes)[number];

export interface Pooling {
  /** Vectors that are put one after the other; one as a rule. */
  readonly modes: readonly PoolingMode[];
  /** Scale to unit length. */
  readonly isNormalized: boolean;
}

/** Below every hidden state. */
const LOWEST = -1e30;
/** Keeps a vector of zeros from dividing by zero; PyTorch's normalize has the same. */
const SHORTEST = 1e-12;

/**
 * x [B, T, D], mask [B, T] bool → [B, D · number of modes]. Rows need a token each.
 * @throws ConfigError for no mode.
 */
export function pool(x: Tensor, mask: Tensor, { modes, isNormalized }: Pooling): Tensor {
  if (modes.length === 0) throw new ConfigError(`pooling: no mode is given; choose of ${poolingModes.join(", ")}`);
  const pooled = concat(
    modes.map((mode) => byMode[mode](x, mask)),
    -1,
  );
  return isNormalized ? unitLength(pooled) : pooled;
}

/** x [..., D] → the same directions with length 1. */
export function unitLength(x: Tensor): Tensor {
  const squares = reduceSum(mul(x, x), [-1], { keepDims: true });
  return div(x, sqrt(maximum(squares, scalar(SHORTEST ** 2))));
}

const column = (mask: Tensor): Tensor => reshape(mask, [...mask.shape, 1]);
const weightsOf = (mask: Tensor): Tensor => cast(column(mask), "float32");
const summed = (x: Tensor, weights: Tensor): Tensor => reduceSum(mul(x, weights), [1]);
const countOf = (mask: Tensor): Tensor => reduceSum(weightsOf(mask), [1]);

const byMode: Readonly<Record<PoolingMode, (x: Tensor, mask: Tensor) => Tensor>> = {
  cls: (x) => reshape(slice(x, 1, 0, 1), [x.shape[0]!, x.shape[2]!]),
  max: (x, mask) => reduceMax(where(column(mask), x, scalar(LOWEST)), [1]),
  mean: (x, mask) => div(summed(x, weightsOf(mask)), countOf(mask)),
  mean_sqrt_len: (x, mask) => div(summed(x, weightsOf(mask)), sqrt(countOf(mask))),
  lasttoken: (x, mask) => summed(x, isLast(mask)),
};

/** 1 at the last token of each row, [B, T, 1]: a token with none after it. */
function isLast(mask: Tensor): Tensor {
  const [batch, time] = mask.shape;
  const weights = weightsOf(mask);
  const ofNext = concat([slice(weights, 1, 1, time!), mul(slice(weights, 1, 0, 1), 0)], 1);
  // tokens of a row stand together, so that there is one end
  const ends = mul(weights, add(mul(ofNext, -1), 1));
  return reshape(ends, [batch!, time!, 1]);
}
