/**
 * @file Positions before a text that carry learned values instead of tokens. A text begins with placeholders, whose
 * embeddings or keys and values are replaced by position; so tiles, packing and caches need to know nothing of them.
 */

import { UnsupportedError } from "../base/errors.js";
import { hostTensor } from "../base/host-tensor.js";
import {
  add,
  cast,
  constant,
  equal,
  matmul,
  mul,
  reduceSum,
  reshape,
  scalar,
  sub,
  type Tensor,
} from "../graph/index.js";
import type { LanguageModel } from "../nn/index.js";

/** Why methods of virtual tokens are not merged. */
export const NOT_WEIGHTS =
  "virtual tokens are inputs, not weights; run the attached model on texts that begin with them";

/**
 * Rows of x at positions below n replaced by the rows of `learned` [n, D]. x [B, T, D], positions [B, T] int64.
 * A product with one-hot rows: its gradient sums over the batch without scattering.
 */
export function replaceVirtual(x: Tensor, positions: Tensor, learned: Tensor): Tensor {
  const count = Number(learned.shape[0]);
  const [batch, time] = positions.shape;
  const indices = constant(
    hostTensor(
      "int64",
      [count],
      BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
    ),
  );
  const chosen = cast(equal(reshape(positions, [batch!, time!, 1]), indices), "float32"); // [B, T, n]
  const isText = sub(scalar(1), reduceSum(chosen, [-1], { keepDims: true }));
  return add(mul(x, isText), matmul(chosen, learned));
}

/** @throws UnsupportedError where positions do not count from the start of the text. */
export function checkPositions(name: string, base: LanguageModel): void {
  if (base.tablesChangeAfter === undefined) return;
  throw new UnsupportedError(
    `${name} tuning: this ${base.family} model encodes the positions of long texts otherwise (LongRoPE), so they do not tell virtual tokens apart; use an adapter such as "lora"`,
  );
}

/** A text with its placeholders before it: what a model with virtual tokens is run on. */
export function withVirtualTokens(
  { numVirtualTokens }: { readonly numVirtualTokens: number },
  ids: ArrayLike<number>,
): Int32Array {
  const out = new Int32Array(numVirtualTokens + ids.length);
  out.set(ids, numVirtualTokens);
  return out;
}
