/** @file Rows of a table by index, and the adjoint: adding rows into a table. */
import type { Dim } from "../dim.js";
import { evaluateDim, mulDims } from "../dim.js";
import { reference } from "../reference.js";
import { apply, type OpDef, requireRank, type Tensor } from "../tensor.js";
import { narrowed } from "./elementwise.js";
import { reshape } from "./reshape.js";

export const gatherOp: OpDef<[Tensor, Tensor]> = {
  name: "gather",
  infer: ([table, indices]) => ({ dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] }),
  gradient: (ct, { inputs: [table, indices] }) => {
    const count = indices.shape.reduce<Dim>(mulDims, 1);
    const width = table.shape.slice(1).reduce<Dim>(mulDims, 1);
    const rows = scatterAdd(reshape(ct, [count, width]), reshape(indices, [count]), table.shape[0]!);
    return [reshape(rows, table.shape), null];
  },
  lower: (b, [table, indices]) => b.node("Gather", [table, indices], { axis: 0 }),
  evaluate: ([table, indices]) => {
    const width = table.data.length / table.shape[0]!;
    const out = reference(table.dtype, [...indices.shape, ...table.shape.slice(1)]);
    indices.data.forEach((row, i) => {
      out.data.set(table.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: [5, 3] }, { shape: [2, 2], dtype: "int64", values: { below: 5 } }], attrs: {} },
    { inputs: [{ shape: ["K", 3] }, { shape: ["B", "T"], dtype: "int64", values: { below: 5 } }], attrs: {} },
  ],
};

export const scatterAddOp: OpDef<[Tensor, Tensor], { readonly numRows: Dim }> = {
  name: "scatter_add",
  infer: ([rows, indices], { numRows }) => {
    requireRank("scatter_add rows", rows, 2);
    requireRank("scatter_add indices", indices, 1);
    return { dtype: rows.dtype, shape: [numRows, rows.shape[1]!] };
  },
  gradient: (ct, { inputs: [, indices] }) => [gather(ct, indices), null],
  // ScatterND with duplicate indices loses additions on the CPU provider when it has several threads; ScatterElements does not
  lower: (b, [rows, indices], { numRows }, node) => {
    const [source] = node.inputs;
    const width = source!.shape[1]!;
    const zeros = b.node("Expand", [b.scalar(0, source!.dtype), b.shape([numRows, width])]);
    const column = b.node("Unsqueeze", [narrowed(b, indices), b.ints([1])]);
    const expanded = b.node("Expand", [column, b.shape(source!.shape)]);
    return b.node("ScatterElements", [zeros, expanded, rows], { axis: 0, reduction: "add" });
  },
  evaluate: ([rows, indices], { numRows }, dims) => {
    const width = rows.shape[1]!;
    const out = reference(rows.dtype, [evaluateDim(numRows, dims), width]);
    indices.data.forEach((to, from) => {
      for (let j = 0; j < width; j++) out.data[to * width + j]! += rows.data[from * width + j]!;
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: [4, 3] }, { shape: [4], dtype: "int64", values: [2, 0, 2, 1] }], attrs: { numRows: 5 } },
    { inputs: [{ shape: ["T", 2] }, { shape: ["T"], dtype: "int64", values: { below: 5 } }], attrs: { numRows: 5 } },
  ],
};

/** table [N, ...], indices [...] int64 → [..., ...]: one row per index. Indices must be in 0 … N - 1. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return apply(gatherOp, [table, indices], {});
}

/** rows [M, D], indices [M] int64 → [numRows, D]: the sum of the rows that share an index, zeros elsewhere. */
export function scatterAdd(rows: Tensor, indices: Tensor, numRows: Dim): Tensor {
  return apply(scatterAddOp, [rows, indices], { numRows });
}
