/** @file Learned vectors of relative positions in keys and values (Shaw et al. 2018, arXiv:1803.02155). */

import { ShapeError } from "../../base/errors.js";
import { type HostTensor, zeros } from "../../base/host-tensor.js";
import {
  add,
  addAlong,
  broadcastTo,
  matmul,
  reshape,
  scalar,
  softmax,
  type Tensor,
  takeAlong,
  where,
} from "../../graph/index.js";

/** Row of the tables for each query and key, [Tq, Tk] int64: clip(key - query, -K, K) + K (section 3.2). */
export function relativeRows(numQueries: number, numKeys: number, maxDistance: number): HostTensor {
  const rows = zeros("int64", [numQueries, numKeys]);
  const data = rows.data as BigInt64Array;
  for (let query = 0; query < numQueries; query++) {
    for (let key = 0; key < numKeys; key++) {
      const clipped = Math.min(Math.max(key - query, -maxDistance), maxDistance);
      data[query * numKeys + key] = BigInt(clipped + maxDistance);
    }
  }
  return rows;
}

export interface RelativeAttentionOptions {
  /** Factor on the scores; 1/√C in the paper. */
  readonly scale: number;
  /** `relativeRows`, [Tq, Tk] int64. */
  readonly rows: Tensor;
  /** Vectors of keys, [2K + 1, C]. */
  readonly keyTable: Tensor;
  /** Vectors of values, [2K + 1, C]. Without it, values carry no position. */
  readonly valueTable?: Tensor;
  /** Which scores count, bool, broadcasting to [B, H, Tq, Tk]. Without it, all. */
  readonly mask?: Tensor;
}

/**
 * e_ij = scale · q_i (k_j + a^K_ij), z_i = Σ_j softmax(e)_ij (v_j + a^V_ij) (eqs. 3 and 4). q, k, v [B, H, T, C] with
 * known sizes → [B, H, Tq, C]. No vector per pair is made: q_i meets each of the 2K + 1 rows once (section 3.3), and
 * probabilities are summed by row before they meet the values' table. Scores of all heads exist at once.
 */
export function relativeAttention(q: Tensor, k: Tensor, v: Tensor, options: RelativeAttentionOptions): Tensor {
  const { scale, rows, keyTable, valueTable, mask } = options;
  const [batch, heads, queries, headDim] = q.shape;
  const keys = k.shape[2]!;
  if (`${rows.shape}` !== `${[queries, keys]}` || keyTable.shape[1] !== headDim) {
    throw new ShapeError(
      `relative attention: rows [${rows.shape}] and a table [${keyTable.shape}] do not fit q [${q.shape}] and k [${k.shape}]`,
    );
  }
  const scores = [batch!, heads!, queries!, keys];
  const picks = broadcastTo(reshape(rows, [1, 1, queries!, keys]), scores);
  const ofPositions = takeAlong(matmul(q, keyTable, { transB: true, scale }), picks);
  const all = add(matmul(q, k, { transB: true, scale }), ofPositions);
  const probabilities = softmax(mask ? where(mask, all, scalar(-1e30)) : all);
  const out = matmul(probabilities, v);
  if (!valueTable) return out;
  const none = broadcastTo(scalar(0), [batch!, heads!, queries!, valueTable.shape[0]!]);
  return add(out, matmul(addAlong(none, picks, probabilities), valueTable));
}
