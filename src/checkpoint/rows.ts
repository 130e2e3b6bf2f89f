/** @file Orders of the rows of a weight that differ between file formats. */

/** Which row of the source belongs at a row of the result. */
export type RowOrder = (row: number) => number;

/** Puts rows of `width` values in another order, into new memory. */
export function reorderRows(values: Float32Array, width: number, sourceOf: RowOrder): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < values.length / width; row++) {
    const from = sourceOf(row) * width;
    out.set(values.subarray(from, from + width), row * width);
  }
  return out;
}

/**
 * Query or key rows from adjacent pairs to halves: the original Llama code, llama2.c and llama.cpp rotate the elements 2i and 2i+1 of a
 * head together, Hugging Face i and C/2+i (C head size). Queries and keys move alike, so their products do not change.
 */
export function halvesFromPairs(headDim: number): RowOrder {
  const half = headDim / 2;
  return (row) => {
    const within = row % headDim;
    return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
  };
}

/** The opposite of `halvesFromPairs`. */
export function pairsFromHalves(headDim: number): RowOrder {
  const half = headDim / 2;
  return (row) => {
    const within = row % headDim;
    return row - within + (within >> 1) + (within & 1) * half;
  };
}

/** Rows [outer, inner, rest] from rows [inner, outer, rest], where `rest` rows stay together. */
export function swappedRows(outer: number, inner: number, rest: number): RowOrder {
  return (row) => {
    const [block, within] = [Math.floor(row / rest), row % rest];
    const [o, i] = [Math.floor(block / inner), block % inner];
    return (i * outer + o) * rest + within;
  };
}

/** [rows, columns] → [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}
