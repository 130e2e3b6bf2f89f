/** @file InfoNCE with in-batch negatives (van den Oord et al. 2018, arXiv:1807.03748; Henderson et al. 2017, arXiv:1705.00652). */

import { hostTensor } from "../base/host-tensor.js";
import { add, broadcastTo, constant, linearCrossEntropy, mul, scalar, slice, type Tensor } from "../graph/index.js";
import { unitLength } from "../nn/pooling.js";

export interface InBatchOptions {
  /** What cosines are multiplied by: 1 / temperature. Default 20, as in sentence-transformers. */
  readonly scale?: number;
  /** Passages look for their queries too, and the two losses are averaged. Default false. */
  readonly isSymmetric?: boolean;
}

/**
 * mean over i of -log softmax(scale · cos(queries[i], passages))[i]. queries [B, W]; passages [B · (1 + negatives), W]:
 * the partner of each query in the same row, then the hard negatives. Vectors may have any length. Sizes must be known.
 * sentence-transformers' MultipleNegativesRankingLoss; symmetric: MultipleNegativesSymmetricRankingLoss.
 */
export function inBatchLoss(
  queries: Tensor,
  passages: Tensor,
  { scale = 20, isSymmetric = false }: InBatchOptions = {},
): Tensor {
  const [asked, found] = [unitLength(queries), unitLength(passages)];
  const forward = ownRow(mul(asked, scale), found);
  if (!isSymmetric) return forward;
  const partners = slice(found, 0, 0, queries.shape[0]!);
  return mul(add(forward, ownRow(mul(partners, scale), asked)), 0.5);
}

/** Mean cross entropy of finding row i of `candidates` for row i. */
function ownRow(rows: Tensor, candidates: Tensor): Tensor {
  const count = Number(rows.shape[0]);
  const own = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
  const weights = broadcastTo(scalar(1 / count), [count]);
  return linearCrossEntropy(rows, candidates, constant(hostTensor("int64", [count], own)), weights);
}
