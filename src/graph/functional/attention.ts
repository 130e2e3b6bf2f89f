/** @file Causal attention in tiles of queries and keys: no T x T matrix exists, forward or backward. */

import { ShapeError, UnsupportedError } from "../../base/errors.js";
import { withGradient } from "../custom.js";
import type { Shape } from "../dim.js";
import type { Tensor } from "../tensor.js";
import { type CausalAttentionOptions, TiledAttention } from "./tiled-attention.js";

export type { CausalAttentionOptions } from "./tiled-attention.js";

/**
 * softmax(scale · q kᵀ) v under a causal mask, with the probabilities recomputed in the backward pass
 * (FlashAttention, Dao et al. 2022, arXiv:2205.14135, section 3).
 * q [B, H, Q, C], k and v [B, G, T, C] with G dividing H (grouped queries share keys without copying them)
 * → [B, H, Q, C]; Q is T unless `places` says where the queries stand. Sizes must be known.
 */
export function causalAttention(q: Tensor, k: Tensor, v: Tensor, options: CausalAttentionOptions): Tensor {
  checkShapes(q, k, v, options);
  const { bias } = options;
  const time = k.shape[2];
  const core = new TiledAttention(q, k, v, options);
  const attended = core.forward();
  const [out] = withGradient(
    "causal_attention",
    bias ? [q, k, v, bias] : [q, k, v],
    [attended.out, attended.logSums],
    (ct, { outputs: [out, logSums] }) => core.backward(ct, { out: out!, logSums: logSums! }),
    { flopsPerElement: 4 * Number(time) },
  );
  return out!;
}

/**
 * Gradients by q, k and v of `output`, the causal attention of the three, from the one by it: for who has the output
 * from elsewhere.
 */
export function causalAttentionGradient(
  [q, k, v]: readonly [Tensor, Tensor, Tensor],
  options: Omit<CausalAttentionOptions, "bias">,
  output: Tensor,
  cotangent: Tensor,
): [Tensor, Tensor, Tensor] {
  checkShapes(q, k, v, options);
  const core = new TiledAttention(q, k, v, options);
  const [dq, dk, dv] = core.backward(cotangent, { out: output, logSums: core.logSums() });
  return [dq!, dk!, dv!];
}

function checkShapes(q: Tensor, k: Tensor, v: Tensor, { bias, places }: CausalAttentionOptions): void {
  const [batch, heads, count] = q.shape;
  const [, groups, time] = k.shape;
  if ([...q.shape, time].some((dim) => typeof dim !== "number")) {
    throw new UnsupportedError(`causal attention in tiles needs known sizes, got q [${q.shape}]`);
  }
  const isPlaced = places ? `${places.shape}` === `${[batch, count]}` && Number(count) <= Number(time) : count === time;
  if (Number(heads) % Number(groups) !== 0 || !isPlaced || `${k.shape}` !== `${v.shape}`) {
    throw new ShapeError(
      `causal attention: q [${q.shape}]${places ? ` at places [${places.shape}]` : ""}, k [${k.shape}] and v [${v.shape}] do not fit`,
    );
  }
  if (bias && (places || !isScoreBias(bias.shape, [Number(batch), Number(heads), Number(time)]))) {
    throw new ShapeError(`causal attention: a bias [${bias.shape}] does not fit the scores of q [${q.shape}]`);
  }
}

function isScoreBias([b, h, t, s]: Shape, [batch, heads, time]: readonly [number, number, number]): boolean {
  return (b === 1 || b === batch) && h === heads && (t === 1 || t === time) && s === time;
}
