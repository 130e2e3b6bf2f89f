/** @file Attention of new tokens over rows that lie one after another, by the runtime's kernel. */

import { UnsupportedError } from "../../base/errors.js";
import { broadcastTo, concat, groupedQueryAttention, reshape, scalar, slice, type Tensor } from "../../graph/index.js";
import type { AttentionRequest } from "../../nn/index.js";

/** The attention kernel takes head sizes that are multiples of this; smaller heads are padded with zeros. */
const HEAD_MULTIPLE = 8;

export const paddedHeadDim = (headDim: number): number => Math.ceil(headDim / HEAD_MULTIPLE) * HEAD_MULTIPLE;

/** What new tokens attend to: rows in the order of their positions, and how many of them there are. */
export interface Past {
  /** [B, G, M, C], heads padded. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** [B] int32: row of each sequence's last new token. */
  readonly last: Tensor;
  /** int32: largest of them plus 1. */
  readonly total: Tensor;
}

export interface Attended {
  /** [B, S, H·C]. */
  readonly out: Tensor;
  /** The new tokens' own rows, [B, S, G·C] with padded heads. */
  readonly freshKeys: Tensor;
  readonly freshValues: Tensor;
  /** The past with the new rows, [B, G, M, C]; may be written over it. */
  readonly keys: Tensor;
  readonly values: Tensor;
}

/**
 * Causal attention of S new tokens. B may be above 1 only where S is 1: the kernel takes no more.
 * @throws UnsupportedError for a bias on the scores.
 */
export function attendOver(request: AttentionRequest, { keys, values, last, total }: Past): Attended {
  const { numHeads, numKvHeads, headDim, scale, window = -1, softcap = 0, bias } = request;
  if (bias)
    throw new UnsupportedError("generation: attention with a bias on the scores (ALiBi) is not supported; use forward");
  const size = paddedHeadDim(headDim);
  const padded = (x: Tensor, heads: number): Tensor => resizeHeads(x, heads, headDim, size);
  const [q, k, v] = [padded(request.q, numHeads), padded(request.k, numKvHeads), padded(request.v, numKvHeads)];
  const attrs = { numHeads, numKvHeads, scale, window, softcap };
  const [out, newKeys, newValues] = groupedQueryAttention([q, k, v, keys, values, last, total], attrs);
  return {
    out: resizeHeads(out, numHeads, size, headDim),
    freshKeys: k,
    freshValues: v,
    keys: newKeys,
    values: newValues,
  };
}

/** [B, S, heads · from] → [B, S, heads · to]: each head cut, or filled up with zeros. */
function resizeHeads(x: Tensor, heads: number, from: number, to: number): Tensor {
  if (from === to) return x;
  const [batch, length] = x.shape;
  const apart = reshape(x, [batch!, length!, heads, from]);
  const resized =
    to < from
      ? slice(apart, 3, 0, to)
      : concat([apart, broadcastTo(scalar(0), [batch!, length!, heads, to - from])], 3);
  return reshape(resized, [batch!, length!, heads * to]);
}
