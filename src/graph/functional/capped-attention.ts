/** @file Causal attention whose scores are capped before the mask (Gemma 2). */

import { allocate } from "../../base/dtype.js";
import { equal, matmul, reshape, softmax, where } from "../ops/index.js";
import { constant, scalar, type Tensor } from "../tensor.js";
import { recomputed } from "./recompute.js";
import { softcapped } from "./softcap.js";

const MASKED = -1e30;

export interface CappedAttentionOptions {
  readonly scale: number;
  readonly softcap: number;
  /** A query sees itself and the `window - 1` positions before it. */
  readonly window?: number;
  /** [B, T] int64: a query sees only keys of its own segment. */
  readonly segments?: Tensor;
}

/**
 * softmax(mask(softcap · tanh(scale · q kᵀ / softcap))) v. q [B, H, T, C], k and v [B, G, T, C] → [B, H, T, C]; sizes
 * must be known. The scores [B, H, T, T] exist while this runs, forward and backward, but are not kept in between.
 */
export function cappedAttention(q: Tensor, k: Tensor, v: Tensor, options: CappedAttentionOptions): Tensor {
  const [batch, heads, time, headDim] = q.shape as readonly [number, number, number, number];
  const groups = Number(k.shape[1]);
  const rows = reshape(q, [batch, groups, (heads / groups) * time, headDim]);
  const scores = matmul(rows, k, { transB: true, scale: options.scale });
  const capped = reshape(softcapped(scores, options.softcap), [batch, heads, time, time]);
  const visible = where(causalMask(time, options.window ?? time), capped, scalar(MASKED));
  const masked = options.segments ? where(sameSegment(options.segments), visible, scalar(MASKED)) : visible;
  const probabilities = reshape(softmax(masked), [batch, groups, (heads / groups) * time, time]);
  const out = reshape(matmul(probabilities, v), [batch, heads, time, headDim]);
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
