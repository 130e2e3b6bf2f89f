/** @file Causal attention whose scores are capped before the mask (Gemma 2). */

import { allocate } from "../../base/dtype.js";
import { add, equal, matmul, reshape, softmax, where } from "../ops/index.js";
import { constant, scalar, type Tensor } from "../tensor.js";
import { recomputed } from "./recompute.js";
import { softcapped } from "./softcap.js";
import { MASKED, visibleFrom } from "./visible.js";

export interface CappedAttentionOptions {
  readonly scale: number;
  readonly softcap: number;
  /** A query sees itself and the `window - 1` positions before it. */
  readonly window?: number;
  /** [B, T] int64: a query sees only keys of its own segment. */
  readonly segments?: Tensor;
  /** Where the queries stand, [B, Q] int64, where they are not all T positions: row · T + position. */
  readonly places?: Tensor;
}

/**
 * softmax(mask(softcap · tanh(scale · q kᵀ / softcap))) v. q [B, H, Q, C], k and v [B, G, T, C] → [B, H, Q, C]; Q is
 * T unless `places` says where the queries stand; sizes must be known. The scores [B, H, Q, T] exist while this runs,
 * forward and backward, but are not kept in between.
 */
export function cappedAttention(q: Tensor, k: Tensor, v: Tensor, options: CappedAttentionOptions): Tensor {
  const [batch, heads, count, headDim] = q.shape as readonly [number, number, number, number];
  const [groups, time] = [Number(k.shape[1]), Number(k.shape[2])];
  const { places, segments, window } = options;
  const rows = reshape(q, [batch, groups, (heads / groups) * count, headDim]);
  const scores = matmul(rows, k, { transB: true, scale: options.scale });
  const capped = reshape(softcapped(scores, options.softcap), [batch, heads, count, time]);
  const hidden = (visible: Tensor, all: Tensor): Tensor => where(visible, all, scalar(MASKED));
  let masked: Tensor;
  if (places) masked = add(capped, visibleFrom(places, { time, window, segments }));
  else {
    masked = hidden(causalMask(time, window ?? time), capped);
    if (segments) masked = hidden(sameSegment(segments), masked);
  }
  const probabilities = reshape(softmax(masked), [batch, groups, (heads / groups) * count, time]);
  const out = reshape(matmul(probabilities, v), [batch, heads, count, headDim]);
  return recomputed("capped_attention", [q, k, v], out);
}

/** [T, T] bool: the key is the query or one of the `window - 1` positions before it. */
function causalMask(time: number, window: number): Tensor {
  const data = allocate("bool", time * time);
  for (let i = 0; i < time; i++) data.fill(1, i * time + Math.max(0, i - window + 1), i * time + i + 1);
  return constant({ dtype: "bool", shape: [time, time], data });
}

/** [B, T] → [B, 1, T, T] bool. */
function sameSegment(segments: Tensor): Tensor {
  const [batch, time] = segments.shape;
  return equal(reshape(segments, [batch!, 1, time!, 1]), reshape(segments, [batch!, 1, 1, time!]));
}
