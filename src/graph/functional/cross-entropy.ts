/** @file Cross entropy of a linear classifier, whose gradient by the logits is never scaled nor copied as a whole. */

import { withGradient } from "../custom.js";
import {
  addAlong,
  broadcastTo,
  exp,
  logSoftmax,
  matmul,
  mul,
  neg,
  reduceSum,
  reshape,
  takeAlong,
} from "../ops/index.js";
import { scalar, type Tensor } from "../tensor.js";

/**
 * Σ_n weights[n] · -log softmax(h wᵀ)[n, labels[n]]. h [N, D], w [V, D], labels [N] int64 in 0 … V - 1,
 * weights [N] → scalar. A weight of 0 leaves a position out. The logits [N, V] exist inside only, so N is the tile.
 */
export function linearCrossEntropy(h: Tensor, w: Tensor, labels: Tensor, weights: Tensor): Tensor {
  const rows = h.shape[0]!;
  const column = (x: Tensor): Tensor => reshape(x, [rows, 1]);
  const logProbabilities = logSoftmax(matmul(h, w, { transB: true })); // [N, V]
  const picked = takeAlong(logProbabilities, column(labels)); // [N, 1]
  const loss = neg(reduceSum(mul(picked, column(weights)), [0, 1]));
  const [out] = withGradient("linear_cross_entropy", [h, w, labels, weights], [loss], (ct) => {
    // dlogits = weights · (softmax - onehot); the weights act on the rows of h and of the result instead: N·D, not N·V
    const minusOne = broadcastTo(scalar(-1), [rows, 1]);
    const difference = addAlong(exp(logProbabilities), column(labels), minusOne);
    const scaled = mul(column(weights), ct);
    return [
      mul(matmul(difference, w), scaled),
      matmul(difference, mul(h, scaled), { transA: true }),
      null,
      mul(neg(reshape(picked, [rows])), ct),
    ];
  });
  return out!;
}
