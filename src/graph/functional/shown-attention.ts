/** @file Causal attention whose probabilities are a result too: for who looks into a model, not for long sequences. */

import { add, matmul, reshape, softmax } from "../ops/index.js";
import { constant, type Tensor } from "../tensor.js";
import { softcapped } from "./softcap.js";
import { visibleFrom } from "./visible.js";

export interface ShownAttentionOptions {
  readonly scale: number;
  readonly softcap?: number;
  /** A query sees itself and the `window - 1` positions before it. */
  readonly window?: number;
  /** [B, T] int64: a query sees only keys of its own segment. */
  readonly segments?: Tensor;
  /** Added to the scaled scores, [1 or B, H, 1 or T, T]. */
  readonly bias?: Tensor;
}

/**
 * Probabilities p = softmax(mask(softcap · tanh(scale · q kᵀ / softcap) + bias)) [B, H, T, T] and p v [B, H, T, C].
 * q [B, H, T, C], k and v [B, G, T, C]; sizes must be known.
 */
export function shownAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale, softcap, window, segments, bias }: ShownAttentionOptions,
): { readonly out: Tensor; readonly probabilities: Tensor } {
  const [batch, heads, time, headDim] = q.shape as readonly [number, number, number, number];
  const groups = Number(k.shape[1]);
  const grouped = (x: Tensor, width: number): Tensor => reshape(x, [batch, groups, (heads / groups) * time, width]);
  const scores = softcapped(matmul(grouped(q, headDim), k, { transB: true, scale }), softcap);
  const apart = reshape(scores, [batch, heads, time, time]);
  const places = BigInt64Array.from({ length: batch * time }, (_, i) => BigInt(i));
  const visible = visibleFrom(constant({ dtype: "int64", shape: [batch, time], data: places }), {
    time,
    window,
    segments,
  });
  const probabilities = softmax(add(bias ? add(apart, bias) : apart, visible));
  const out = reshape(matmul(grouped(probabilities, time), v), [batch, heads, time, headDim]);
  return { out, probabilities };
}
