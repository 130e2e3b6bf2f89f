/** @file Sums over axes, and their adjoint: stretching to a shape. */
import { ShapeError } from "../../base/errors.js";
import { broadcastShapes, evaluateShape, normalizeAxis, type Shape, sameShape } from "../dim.js";
import { broadcastReference, flatIndex, forEachIndex, type Reference, reference } from "../reference.js";
import { type Aval, apply, type OpDef, type Sample, type Tensor } from "../tensor.js";
import { reshape } from "./reshape.js";

export interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Shape of a reduction: the axes become 1 or disappear. */
export function reducedAval(x: Aval, { axes, keepDims }: ReduceAttrs): Aval {
  return {
    dtype: x.dtype,
    shape: x.shape.flatMap((dim, i) => (!axes.includes(i) ? [dim] : keepDims ? [1] : [])),
  };
}

/** Folds the elements along the axes with `f`. */
export function reduceReference(
  x: Reference,
  { axes, keepDims }: ReduceAttrs,
  initial: number,
  f: (a: number, b: number) => number,
): Reference {
  const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  const out = reference(x.dtype, kept);
  out.data.fill(initial);
  forEachIndex(x.shape, (flat, index) => {
    const at = flatIndex(
      kept,
      index.map((i, axis) => (axes.includes(axis) ? 0 : i)),
    );
    out.data[at] = f(out.data[at]!, x.data[flat]!);
  });
  return keepDims ? out : { ...out, shape: x.shape.filter((_, i) => !axes.includes(i)) };
}

/** x's shape with the reduced axes as 1: what a reduction without `keepDims` must be reshaped to before it stretches. */
export function keptShape(x: Aval, axes: readonly number[]): Shape {
  return x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
}

export const reduceSamples: readonly Sample<ReduceAttrs>[] = [
  { inputs: [{ shape: [2, 3, 4], values: "distinct" }], attrs: { axes: [1], keepDims: true } },
  { inputs: [{ shape: [2, 3, 4], values: "distinct" }], attrs: { axes: [0, 2], keepDims: false } },
  { inputs: [{ shape: ["B", "T"], values: "distinct" }], attrs: { axes: [1], keepDims: false } },
];

export const reduceSumOp: OpDef<[Tensor], ReduceAttrs> = {
  name: "reduce_sum",
  infer: ([x], attrs) => reducedAval(x, attrs),
  gradient: (ct, { inputs: [x], attrs: { axes } }) => [broadcastTo(reshape(ct, keptShape(x, axes)), x.shape)],
  lower: (b, [x], { axes, keepDims }) => b.node("ReduceSum", [x, b.ints(axes)], { keepdims: Number(keepDims) }),
  evaluate: ([x], attrs) => reduceReference(x, attrs, 0, (a, b) => a + b),
  samples: reduceSamples,
};

export const broadcastToOp: OpDef<[Tensor], { readonly shape: Shape }> = {
  name: "broadcast_to",
  infer: ([x], { shape }) => {
    if (!sameShape(broadcastShapes("broadcast_to", x.shape, shape), shape)) {
      throw new ShapeError(`broadcast_to: shape [${x.shape}] does not stretch to [${shape}]`);
    }
    return { dtype: x.dtype, shape };
  },
  gradient: (ct) => [ct],
  lower: (b, [x], { shape }) => b.node("Expand", [x, b.shape(shape)]),
  evaluate: ([x], { shape }, dims) => broadcastReference(x, evaluateShape(shape, dims)),
  samples: [
    { inputs: [{ shape: [3, 1] }], attrs: { shape: [2, 3, 4] } },
    { inputs: [{ shape: ["B", 1, "T"] }], attrs: { shape: ["B", 4, "T"] } },
    { inputs: [{ shape: [] }], attrs: { shape: [2, 2] } },
  ],
};

export interface ReduceOptions {
  /** Keep the reduced axes with size 1. Default false, as in NumPy. */
  readonly keepDims?: boolean;
}

/** Sum over `axes` (negative ones count from the end). */
export function reduceSum(x: Tensor, axes: readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  const normalized = axes.map((axis) => normalizeAxis("reduce_sum", axis, x.rank));
  return normalized.length === 0 ? x : apply(reduceSumOp, [x], { axes: normalized, keepDims });
}

/** x stretched to `shape` by broadcasting. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(broadcastToOp, [x], { shape });
}
