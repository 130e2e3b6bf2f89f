/** @file Attention of new tokens over a cache that grows in place: what generation runs. */
import { ShapeError, UnsupportedError } from "../../base/errors.js";
import type { Dim } from "../dim.js";
import { MICROSOFT } from "../emitter.js";
import { type Reference, reference } from "../reference.js";
import { applyAll, type OpDef, type Tensor } from "../tensor.js";

export interface CachedAttentionAttrs {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly scale: number;
  /** A query sees itself and the `window - 1` positions before it; -1 for all. */
  readonly window: number;
  /** Scores s become softcap · tanh(s / softcap) before the mask; 0 for none. Default 0. */
  readonly softcap?: number;
}

type Inputs = [
  q: Tensor,
  k: Tensor,
  v: Tensor,
  pastKeys: Tensor,
  pastValues: Tensor,
  lastPositions: Tensor,
  total: Tensor,
];

export const groupedQueryAttentionOp: OpDef<Inputs, CachedAttentionAttrs> = {
  name: "grouped_query_attention",
  infer: ([q, k, v, keys, values], { numHeads, numKvHeads }) => {
    const [width, kvWidth, headDim] = [q.shape[2], k.shape[2], keys.shape[3]];
    const fits =
      `${keys.shape}` === `${values.shape}` &&
      keys.shape[1] === numKvHeads &&
      width === Number(headDim) * numHeads &&
      kvWidth === Number(headDim) * numKvHeads &&
      `${k.shape}` === `${v.shape}`;
    if (Number(headDim) % 8 !== 0) {
      throw new ShapeError(
        `grouped_query_attention: the kernel takes head sizes that are multiples of 8, got ${headDim}; pad the heads`,
      );
    }
    if (!fits) {
      throw new ShapeError(
        `grouped_query_attention: q [${q.shape}], k [${k.shape}], v [${v.shape}] do not fit caches [${keys.shape}] and [${values.shape}] with ${numHeads} and ${numKvHeads} heads`,
      );
    }
    return [
      { dtype: q.dtype, shape: q.shape },
      { dtype: keys.dtype, shape: keys.shape },
      { dtype: values.dtype, shape: values.shape },
    ];
  },
  gradient: "forbidden",
  lower: (b, inputs, { numHeads, numKvHeads, scale, window, softcap = 0 }) => {
    if (b.device !== "cpu") {
      throw new UnsupportedError(`attention over a cache of keys and values runs on the CPU only, not on ${b.device}`);
    }
    const attributes = {
      num_heads: numHeads,
      kv_num_heads: numKvHeads,
      scale: { float: scale },
      local_window_size: window,
      ...(softcap > 0 && { softcap: { float: softcap } }),
    };
    return b.nodes("GroupQueryAttention", [...inputs], attributes, { domain: MICROSOFT, numOutputs: 3 });
  },
  evaluate: ([q, k, v, pastKeys, pastValues, lastPositions], attrs) => {
    const newTokens = q.shape[1]!;
    const firsts = lastPositions.data.map((last) => last + 1 - newTokens);
    const [keys, values] = [appended(pastKeys, k, firsts), appended(pastValues, v, firsts)];
    return [attendCached(q, keys, values, firsts, attrs), keys, values];
  },
  // several new tokens after a past: one sequence at a time, the kernel takes no more
  samples: [
    { numHeads: 4, numKvHeads: 2, batch: 1, last: [4], length: 3, window: -1 },
    { numHeads: 2, numKvHeads: 2, batch: "B", last: [3, 1], length: 1, window: -1 },
    { numHeads: 2, numKvHeads: 1, batch: "B", last: [3, 5], length: 1, window: 2 },
    { numHeads: 2, numKvHeads: 1, batch: 1, last: [5], length: 4, window: 3 },
    { numHeads: 2, numKvHeads: 1, batch: 1, last: [4], length: 3, window: -1, softcap: 1.5 },
  ].map(({ numHeads, numKvHeads, batch, last, length, window, softcap = 0 }) => ({
    inputs: [
      { shape: [batch, length, numHeads * 8] as Dim[] },
      ...[0, 1].map(() => ({ shape: [batch, length, numKvHeads * 8] as Dim[] })),
      ...[0, 1].map(() => ({ shape: [batch, numKvHeads, 7, 8] as Dim[] })),
      { shape: [batch] as Dim[], dtype: "int32" as const, values: last },
      { shape: [], dtype: "int32" as const, values: [Math.max(...last) + 1] },
    ],
    attrs: { numHeads, numKvHeads, scale: 0.5, window, softcap },
  })),
};

/** The rows of past [B, G, M, C] before `firsts`, then those of fresh [B, S, G·C]; what follows is unspecified. */
function appended(past: Reference, fresh: Reference, firsts: Float64Array): Reference {
  const [, groups, capacity, headDim] = past.shape as [number, number, number, number];
  const length = fresh.shape[1]!;
  const out = reference(past.dtype, past.shape);
  past.data.forEach((value, i) => {
    const [position, batch] = [Math.floor(i / headDim) % capacity, Math.floor(i / (groups * capacity * headDim))];
    if (position < firsts[batch]!) out.data[i] = value;
  });
  fresh.data.forEach((value, i) => {
    const column = i % (groups * headDim);
    const row = Math.floor(i / (groups * headDim));
    const [batch, position] = [Math.floor(row / length), firsts[Math.floor(row / length)]! + (row % length)];
    const head = batch * groups + Math.floor(column / headDim);
    out.data[(head * capacity + position) * headDim + (column % headDim)] = value;
  });
  return out;
}

function attendCached(
  q: Reference,
  keys: Reference,
  values: Reference,
  firsts: Float64Array,
  { numHeads, numKvHeads, scale, window, softcap = 0 }: CachedAttentionAttrs,
): Reference {
  const [batchSize, length] = q.shape as [number, number];
  const [, , capacity, headDim] = keys.shape as [number, number, number, number];
  const out = reference(q.dtype, q.shape);
  for (let task = 0; task < batchSize * length * numHeads; task++) {
    const head = task % numHeads;
    const token = Math.floor(task / numHeads);
    const batch = Math.floor(token / length);
    const position = firsts[batch]! + (token % length);
    const cache = (batch * numKvHeads + Math.floor((head * numKvHeads) / numHeads)) * capacity;
    const first = window < 0 ? 0 : Math.max(0, position - window + 1);
    const query = q.data.subarray(task * headDim, (task + 1) * headDim);
    const scores = Array.from({ length: position - first + 1 }, (_, i) =>
      query.reduce((sum, x, c) => sum + scale * x * keys.data[(cache + first + i) * headDim + c]!, 0),
    ).map((score) => (softcap > 0 ? softcap * Math.tanh(score / softcap) : score));
    const max = Math.max(...scores);
    const total = scores.reduce((sum, s) => sum + Math.exp(s - max), 0);
    for (const [i, score] of scores.entries()) {
      const weight = Math.exp(score - max) / total;
      for (let c = 0; c < headDim; c++)
        out.data[task * headDim + c]! += weight * values.data[(cache + first + i) * headDim + c]!;
    }
  }
  return out;
}

/**
 * Causal attention of S new tokens over a cache. q [B, S, H·C], k and v [B, S, G·C], caches [B, G, M, C],
 * `lastPositions` [B] int32 (position of each sequence's last new token), `total` int32 (largest of them plus 1)
 * → [B, S, H·C] and both caches with the new rows. The caches may be written over the ones that were fed.
 */
export function groupedQueryAttention(inputs: Inputs, attrs: CachedAttentionAttrs): readonly [Tensor, Tensor, Tensor] {
  const [out, keys, values] = applyAll(groupedQueryAttentionOp, inputs, attrs);
  return [out!, keys!, values!];
}
