/** @file A stretch of one axis, and its adjoint: zeros around a tensor. */
import { ShapeError } from "../../base/errors.js";
import { sizeOf } from "../../base/host-tensor.js";
import { addDims, type Dim, evaluateDim, normalizeAxis, subDims } from "../dim.js";
import { flatIndex, forEachIndex, reference } from "../reference.js";
import { type Aval, apply, type OpDef, type Tensor } from "../tensor.js";

export interface SliceAttrs {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
}

export interface PadAttrs {
  readonly axis: number;
  readonly before: Dim;
  readonly after: Dim;
}

function withAxis(x: Aval, axis: number, size: Dim): Aval {
  return { dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? size : dim)) };
}

export const sliceOp: OpDef<[Tensor], SliceAttrs> = {
  name: "slice",
  infer: ([x], { axis, start, end }) => {
    const size = x.shape[axis]!;
    const numbers = [start, end, size].every((dim) => typeof dim === "number");
    if (numbers && !(0 <= Number(start) && Number(start) <= Number(end) && Number(end) <= Number(size))) {
      throw new ShapeError(`slice: ${start} to ${end} does not lie within axis ${axis} of shape [${x.shape}]`);
    }
    return withAxis(x, axis, subDims(end, start));
  },
  gradient: (ct, { inputs: [x], attrs: { axis, start, end } }) => [pad(ct, axis, start, subDims(x.shape[axis]!, end))],
  lower: (b, [x], { axis, start, end }) => b.node("Slice", [x, b.shape([start]), b.shape([end]), b.ints([axis])]),
  evaluate: ([x], { axis, start, end }, dims) => {
    const from = evaluateDim(start, dims);
    const out = reference(
      x.dtype,
      x.shape.map((size, i) => (i === axis ? evaluateDim(end, dims) - from : size)),
    );
    forEachIndex(out.shape, (flat, index) => {
      out.data[flat] =
        x.data[
          flatIndex(
            x.shape,
            index.map((i, a) => (a === axis ? i + from : i)),
          )
        ]!;
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: [2, 6] }], attrs: { axis: 1, start: 1, end: 4 } },
    { inputs: [{ shape: ["T", 2] }], attrs: { axis: 0, start: 1, end: "T" } },
    { inputs: [{ shape: ["B", "T", 2] }], attrs: { axis: 1, start: "T-2", end: "T" } },
  ],
};

export const padOp: OpDef<[Tensor], PadAttrs> = {
  name: "pad",
  infer: ([x], { axis, before, after }) => withAxis(x, axis, addDims(addDims(before, x.shape[axis]!), after)),
  gradient: (ct, { inputs: [x], attrs: { axis, before } }) => [
    slice(ct, axis, before, addDims(before, x.shape[axis]!)),
  ],
  lower: (b, [x], { axis, before, after }, node) => {
    const rank = node.inputs[0]!.rank;
    const pads = Array.from({ length: 2 * rank }, (_, i): Dim => (i === axis ? before : i === rank + axis ? after : 0));
    return b.node("Pad", [x, b.shape(pads)]);
  },
  evaluate: ([x], { axis, before, after }, dims) => {
    const shift = evaluateDim(before, dims);
    const shape = x.shape.map((size, i) => (i === axis ? shift + size + evaluateDim(after, dims) : size));
    const data = new Float64Array(sizeOf(shape));
    forEachIndex(x.shape, (flat, index) => {
      data[
        flatIndex(
          shape,
          index.map((i, a) => (a === axis ? i + shift : i)),
        )
      ] = x.data[flat]!;
    });
    return reference(x.dtype, shape, data);
  },
  samples: [
    { inputs: [{ shape: [2, 3] }], attrs: { axis: 1, before: 1, after: 2 } },
    { inputs: [{ shape: ["B", "T"] }], attrs: { axis: 0, before: 0, after: "T" } },
  ],
};

/** x[..., start:end, ...] along `axis` (negative ones count from the end). */
export function slice(x: Tensor, axis: number, start: Dim, end: Dim): Tensor {
  const at = normalizeAxis("slice", axis, x.rank);
  return start === 0 && end === x.shape[at] ? x : apply(sliceOp, [x], { axis: at, start, end });
}

/** x with `before` and `after` zeros along `axis`. */
export function pad(x: Tensor, axis: number, before: Dim, after: Dim): Tensor {
  const at = normalizeAxis("pad", axis, x.rank);
  return before === 0 && after === 0 ? x : apply(padOp, [x], { axis: at, before, after });
}
