/** @file Maxima over axes. */
import { normalizeAxis } from "../dim.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { equal } from "./equal.js";
import { mul } from "./mul.js";
import {
  keptShape,
  type ReduceAttrs,
  type ReduceOptions,
  reducedAval,
  reduceReference,
  reduceSamples,
} from "./reduce-sum.js";
import { reshape } from "./reshape.js";

export const reduceMaxOp: OpDef<[Tensor], ReduceAttrs> = {
  name: "reduce_max",
  infer: ([x], attrs) => reducedAval(x, attrs),
  // the largest element takes the cotangent; equal ones each take all of it, as a subgradient may
  gradient: (ct, { inputs: [x], output, attrs: { axes } }) => {
    const kept = keptShape(x, axes);
    return [mul(reshape(ct, kept), cast(equal(x, reshape(output, kept)), ct.dtype))];
  },
  lower: (b, [x], { axes, keepDims }) => b.node("ReduceMax", [x, b.ints(axes)], { keepdims: Number(keepDims) }),
  evaluate: ([x], attrs) => reduceReference(x, attrs, Number.NEGATIVE_INFINITY, Math.max),
  samples: reduceSamples,
};

/** Largest element over `axes` (negative ones count from the end). */
export function reduceMax(x: Tensor, axes: readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  return apply(reduceMaxOp, [x], { axes: axes.map((axis) => normalizeAxis("reduce_max", axis, x.rank)), keepDims });
}
