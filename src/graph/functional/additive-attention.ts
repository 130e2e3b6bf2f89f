/** @file Attention by a small network instead of a product (Bahdanau et al. 2015, arXiv:1409.0473, appendix A.1.2). */

import { ShapeError } from "../../base/errors.js";
import { add, after, concat, matmul, reshape, slice, softmax, tanh, where } from "../ops/index.js";
import { scalar, type Tensor } from "../tensor.js";

/** Score of a state that must not be seen. Finite, so that a row without any state has no NaN. */
const MASKED = -1e30;

export interface AdditiveAttentionOptions {
  /** Queries per tile; all at once without it. Memory grows with tile · Tk · A. */
  readonly tile?: number;
  /** Which states there are, [B, Tk] bool. Without it, all. */
  readonly mask?: Tensor;
}

/**
 * Σ_j softmax_j(weight · tanh(query_i + key_j)) states_j. queries [B, Tq, A] and keys [B, Tk, A] are the decoder's and
 * encoder's states after their linear maps (W_a s and U_a h of the paper, keys computed once per text), weight [A],
 * states [B, Tk, D] → [B, Tq, D].
 * @throws ShapeError when shapes do not fit, or tiles are asked for where the number of queries is not known.
 */
export function additiveAttention(
  queries: Tensor,
  keys: Tensor,
  weight: Tensor,
  states: Tensor,
  { tile, mask }: AdditiveAttentionOptions = {},
): Tensor {
  const [batch, time, width] = queries.shape;
  const count = keys.shape[1]!;
  const fits =
    `${keys.shape}` === `${[batch, count, width]}` &&
    `${weight.shape}` === `${[width]}` &&
    `${states.shape.slice(0, 2)}` === `${[batch, count]}` &&
    (!mask || `${mask.shape}` === `${[batch, count]}`) &&
    (tile === undefined || typeof time === "number");
  if (!fits) {
    throw new ShapeError(
      `additive attention: queries [${queries.shape}], keys [${keys.shape}], weight [${weight.shape}], states [${states.shape}]${mask ? `, mask [${mask.shape}]` : ""} and tile ${tile} do not fit`,
    );
  }
  const seen = mask && reshape(mask, [batch!, 1, count]);
  const attend = (part: Tensor): Tensor => {
    const rows = part.shape[1]!;
    const both = add(reshape(part, [batch!, rows, 1, width!]), reshape(keys, [batch!, 1, count, width!]));
    const scores = reshape(matmul(tanh(both), reshape(weight, [width!, 1])), [batch!, rows, count]);
    return matmul(softmax(seen ? where(seen, scores, scalar(MASKED)) : scores), states);
  };
  if (tile === undefined || typeof time !== "number") return attend(queries);
  const outputs: Tensor[] = [];
  for (let start = 0; start < time; start += tile) {
    // one tile after the other: side by side they would need the memory of the whole
    outputs.push(attend(after(slice(queries, 1, start, Math.min(start + tile, time)), outputs.slice(-1))));
  }
  return concat(outputs, 1);
}
