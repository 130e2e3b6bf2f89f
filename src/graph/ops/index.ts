/** @file Every op, keyed by its name: a duplicate key does not compile, and the conformance suite runs for each. */
import type { OpDef } from "../tensor.js";
import { absOp } from "./abs.js";
import { addOp } from "./add.js";
import { afterOp } from "./after.js";
import { argmaxOp } from "./argmax.js";
import { castOp } from "./cast.js";
import { concatOp } from "./concat.js";
import { cumsumOp } from "./cumsum.js";
import { dequantizeNf4Op } from "./dequantize-nf4.js";
import { divOp } from "./div.js";
import { dropoutOp } from "./dropout.js";
import { equalOp } from "./equal.js";
import { erfOp } from "./erf.js";
import { expOp } from "./exp.js";
import { fakeQuantizeOp } from "./fake-quantize.js";
import { gatherOp, scatterAddOp } from "./gather.js";
import { geluOp } from "./gelu.js";
import { greaterOp } from "./greater.js";
import { greaterEqualOp } from "./greater-equal.js";
import { groupedQueryAttentionOp } from "./grouped-query-attention.js";
import { layerNormOp } from "./layer-norm.js";
import { logOp } from "./log.js";
import { lowRankOp } from "./low-rank.js";
import { matmulOp } from "./matmul.js";
import { matmulNBitsOp } from "./matmul-nbits.js";
import { maximumOp } from "./maximum.js";
import { minimumOp } from "./minimum.js";
import { mulOp } from "./mul.js";
import { negOp } from "./neg.js";
import { reduceMaxOp } from "./reduce-max.js";
import { broadcastToOp, reduceSumOp } from "./reduce-sum.js";
import { reluOp } from "./relu.js";
import { reshapeOp } from "./reshape.js";
import { rmsNormOp } from "./rms-norm.js";
import { ropeOp } from "./rope.js";
import { placeRowsOp, selectRowsOp } from "./select-rows.js";
import { sigmoidOp } from "./sigmoid.js";
import { signOp } from "./sign.js";
import { siluOp } from "./silu.js";
import { padOp, sliceOp } from "./slice.js";
import { logSoftmaxOp, softmaxOp } from "./softmax.js";
import { sqrtOp } from "./sqrt.js";
import { subOp } from "./sub.js";
import { addAlongOp, takeAlongOp } from "./take-along.js";
import { tanhOp } from "./tanh.js";
import { topKOp } from "./top-k.js";
import { transposeOp } from "./transpose.js";
import { whereOp } from "./where.js";

export const ops = {
  abs: absOp,
  add: addOp,
  add_along: addAlongOp,
  after: afterOp,
  argmax: argmaxOp,
  broadcast_to: broadcastToOp,
  cast: castOp,
  concat: concatOp,
  cumsum: cumsumOp,
  dequantize_nf4: dequantizeNf4Op,
  div: divOp,
  dropout: dropoutOp,
  equal: equalOp,
  erf: erfOp,
  exp: expOp,
  fake_quantize: fakeQuantizeOp,
  gather: gatherOp,
  gelu: geluOp,
  greater: greaterOp,
  greater_equal: greaterEqualOp,
  grouped_query_attention: groupedQueryAttentionOp,
  layer_norm: layerNormOp,
  log: logOp,
  log_softmax: logSoftmaxOp,
  low_rank: lowRankOp,
  matmul: matmulOp,
  matmul_nbits: matmulNBitsOp,
  maximum: maximumOp,
  minimum: minimumOp,
  mul: mulOp,
  neg: negOp,
  pad: padOp,
  place_rows: placeRowsOp,
  reduce_max: reduceMaxOp,
  reduce_sum: reduceSumOp,
  relu: reluOp,
  reshape: reshapeOp,
  rms_norm: rmsNormOp,
  rope: ropeOp,
  scatter_add: scatterAddOp,
  select_rows: selectRowsOp,
  sigmoid: sigmoidOp,
  sign: signOp,
  silu: siluOp,
  slice: sliceOp,
  softmax: softmaxOp,
  sqrt: sqrtOp,
  sub: subOp,
  take_along: takeAlongOp,
  tanh: tanhOp,
  top_k: topKOp,
  transpose: transposeOp,
  where: whereOp,
} as const satisfies Record<string, OpDef>;

export { abs } from "./abs.js";
export { add } from "./add.js";
export { after } from "./after.js";
export { argmax } from "./argmax.js";
export { cast } from "./cast.js";
export { concat } from "./concat.js";
export { cumsum } from "./cumsum.js";
export { dequantizeNf4, NF4_BLOCK, NF4_CODES, NF4_NESTED_BLOCK, nf4Sizes } from "./dequantize-nf4.js";
export { div } from "./div.js";
export { dropout } from "./dropout.js";
export { equal } from "./equal.js";
export { erf } from "./erf.js";
export { exp } from "./exp.js";
export { type FakeQuantizeAttrs, fakeQuantize } from "./fake-quantize.js";
export { gather, scatterAdd } from "./gather.js";
export { type GeluForm, gelu } from "./gelu.js";
export { greater } from "./greater.js";
export { greaterEqual } from "./greater-equal.js";
export { type CachedAttentionAttrs, groupedQueryAttention } from "./grouped-query-attention.js";
export { layerNorm } from "./layer-norm.js";
export { log } from "./log.js";
export { lowRank } from "./low-rank.js";
export { matmul } from "./matmul.js";
export { type MatmulNBitsAttrs, matmulNBits } from "./matmul-nbits.js";
export { maximum } from "./maximum.js";
export { minimum } from "./minimum.js";
export { mul } from "./mul.js";
export { neg } from "./neg.js";
export { reduceMax } from "./reduce-max.js";
export { broadcastTo, reduceSum } from "./reduce-sum.js";
export { relu } from "./relu.js";
export { reshape } from "./reshape.js";
export { rmsNorm } from "./rms-norm.js";
export { rope } from "./rope.js";
export { placeRows, selectRows } from "./select-rows.js";
export { sigmoid } from "./sigmoid.js";
export { sign } from "./sign.js";
export { silu } from "./silu.js";
export { pad, slice } from "./slice.js";
export { logSoftmax, softmax } from "./softmax.js";
export { sqrt } from "./sqrt.js";
export { sub } from "./sub.js";
export { addAlong, takeAlong } from "./take-along.js";
export { tanh } from "./tanh.js";
export { topK } from "./top-k.js";
export { transpose } from "./transpose.js";
export { where } from "./where.js";
