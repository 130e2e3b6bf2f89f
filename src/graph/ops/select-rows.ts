/** @file The rows of a matrix that a mask marks, and the adjoint: rows put back where the mask marks. */
import { ShapeError } from "../../base/errors.js";
import type { Dim } from "../dim.js";
import { reference } from "../reference.js";
import { type Aval, apply, type OpDef, requireRank, type Tensor } from "../tensor.js";

export interface SelectAttrs {
  /** Number of marked rows; a name, unique within a graph, where only the values of the mask decide it. */
  readonly count: Dim;
}

function checkMask(operation: string, mask: Aval): void {
  requireRank(`${operation} mask`, mask, 1);
  if (mask.dtype !== "bool") throw new ShapeError(`${operation}: the mask must be bool, got ${mask.dtype}`);
}

export const selectRowsOp: OpDef<[Tensor, Tensor], SelectAttrs> = {
  name: "select_rows",
  infer: ([x, mask], { count }) => {
    requireRank("select_rows", x, 2);
    checkMask("select_rows", mask);
    if (x.shape[0] !== mask.shape[0]) {
      throw new ShapeError(`select_rows: x [${x.shape}] and mask [${mask.shape}] differ in their rows`);
    }
    return { dtype: x.dtype, shape: [count, x.shape[1]!] };
  },
  gradient: (ct, { inputs: [, mask] }) => [placeRows(ct, mask), null],
  lower: (b, [x, mask]) => b.node("Compress", [x, mask], { axis: 0 }),
  evaluate: ([x, mask]) => {
    const width = x.shape[1]!;
    const marked = [...mask.data.keys()].filter((row) => mask.data[row] !== 0);
    const out = reference(x.dtype, [marked.length, width]);
    marked.forEach((row, i) => {
      out.data.set(x.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  },
  samples: [
    {
      inputs: [{ shape: [4, 3] }, { shape: [4], dtype: "bool", values: [0, 1, 1, 0] }],
      attrs: { count: 2 },
    },
    {
      inputs: [{ shape: ["K", 2] }, { shape: ["K"], dtype: "bool", values: [1, 0, 1, 0, 1] }],
      attrs: { count: 3 },
    },
  ],
};

export const placeRowsOp: OpDef<[Tensor, Tensor]> = {
  name: "place_rows",
  infer: ([rows, mask]) => {
    requireRank("place_rows", rows, 2);
    checkMask("place_rows", mask);
    return { dtype: rows.dtype, shape: [mask.shape[0]!, rows.shape[1]!] };
  },
  gradient: (ct, { inputs: [rows, mask] }) => [selectRows(ct, mask, rows.shape[0]!), null],
  // no index occurs twice, so nothing is added up and the rows may be written in any order
  lower: (b, [rows, mask], _, node) => {
    const [source, marks] = node.inputs;
    const shape: Dim[] = [marks!.shape[0]!, source!.shape[1]!];
    const zeros = b.node("Expand", [b.scalar(0, source!.dtype), b.shape(shape)]);
    const indices = b.node("Transpose", [b.node("NonZero", [mask])]); // [marked, 1]
    return b.node("ScatterND", [zeros, indices, rows]);
  },
  evaluate: ([rows, mask]) => {
    const width = rows.shape[1]!;
    const out = reference(rows.dtype, [mask.shape[0]!, width]);
    let next = 0;
    mask.data.forEach((mark, row) => {
      if (mark === 0) return;
      out.data.set(rows.data.subarray(next * width, (next + 1) * width), row * width);
      next++;
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: ["B", 3] }, { shape: [4], dtype: "bool", values: [0, 1, 1, 0] }], attrs: {} },
    { inputs: [{ shape: ["T", 2] }, { shape: ["K"], dtype: "bool", values: [1, 0, 1, 0, 1] }], attrs: {} },
  ],
};

/**
 * x [N, D], mask [N] bool → [count, D]: the marked rows, in order. Where their number is known only when the program
 * runs, `count` is a name for it, and nothing that needs the size itself (broadcasting to it) can be done with the rows.
 */
export function selectRows(x: Tensor, mask: Tensor, count: Dim): Tensor {
  return apply(selectRowsOp, [x, mask], { count });
}

/** rows [marked, D], mask [N] bool with as many marks → [N, D]: the rows where the mask marks, zeros elsewhere. */
export function placeRows(rows: Tensor, mask: Tensor): Tensor {
  return apply(placeRowsOp, [rows, mask], {});
}
