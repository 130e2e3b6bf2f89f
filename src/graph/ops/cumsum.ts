/** @file Running sums along an axis. */
import { normalizeAxis } from "../dim.js";
import { forEachIndex, reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export interface CumsumAttrs {
  readonly axis: number;
  /** Sums run from the end. */
  readonly isReversed: boolean;
}

export const cumsumOp: OpDef<[Tensor], CumsumAttrs> = {
  name: "cumsum",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  // x_i is in every sum from i on
  gradient: (ct, { attrs: { axis, isReversed } }) => [cumsum(ct, axis, { isReversed: !isReversed })],
  lower: (b, [x], { axis, isReversed }) =>
    b.node("CumSum", [x, b.scalar(axis, "int64")], { exclusive: 0, reverse: Number(isReversed) }),
  evaluate: ([x], { axis, isReversed }) => {
    const out = reference(x.dtype, x.shape);
    const step = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const size = x.shape[axis]!;
    forEachIndex(x.shape, (flat, index) => {
      const from = isReversed ? index[axis]! : 0;
      const to = isReversed ? size : index[axis]! + 1;
      for (let i = from; i < to; i++) out.data[flat]! += x.data[flat + (i - index[axis]!) * step]!;
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: [2, 5] }], attrs: { axis: 1, isReversed: false } },
    { inputs: [{ shape: ["B", "T", 3] }], attrs: { axis: 1, isReversed: true } },
    { inputs: [{ shape: ["T"], dtype: "int64", values: { below: 9 } }], attrs: { axis: 0, isReversed: false } },
  ],
};

/** Σ over i ≤ j of x along `axis` (negative ones count from the end), or over i ≥ j. Same shape as x. */
export function cumsum(
  x: Tensor,
  axis: number,
  { isReversed = false }: { readonly isReversed?: boolean } = {},
): Tensor {
  return apply(cumsumOp, [x], { axis: normalizeAxis("cumsum", axis, x.rank), isReversed });
}
