/**
 * @file Singular values of matrices, and the rank that keeps a share of a matrix's energy. Only values are needed, no
 * vectors: they are the roots of the eigenvalues of the smaller Gram matrix, which Householder's reduction to three
 * diagonals and implicit QL steps give in float64 (Golub and Van Loan 2013, algorithms 8.3.1 and 8.3.3). Squares below
 * 1e-16 of the largest are rounding.
 */

import { ConfigError, DataError, ShapeError } from "../base/errors.js";
import { asFloat32, type HostTensor } from "../base/host-tensor.js";

/**
 * Singular values of a matrix [m, n], the largest first, min(m, n) of them. Takes of the order of min(m, n)² · max(m, n).
 * @throws ShapeError when it is no matrix; DataError when a value is not finite.
 */
export function singularValues(matrix: HostTensor): Float64Array {
  const [numRows, numColumns] = matrix.shape;
  if (matrix.shape.length !== 2 || !numRows || !numColumns)
    throw new ShapeError(`singular values: expected a matrix, got shape [${matrix.shape}]`);
  const values = asFloat32(matrix);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new DataError(`singular values: element ${wrong} is ${values[wrong]}`);
  const { diagonal, offDiagonal } = tridiagonal(gram(values, numRows, numColumns));
  return symmetricEigenvalues(diagonal, offDiagonal)
    .map((square) => Math.sqrt(Math.max(square, 0)))
    .sort()
    .reverse();
}

/**
 * The least rank whose largest singular values hold a share of the energy, the sum of their squares. 0 for a matrix of zeros.
 * @throws ConfigError when the share is not in 0 … 1.
 */
export function rankForEnergy(values: ArrayLike<number>, share: number): number {
  if (!(share >= 0 && share <= 1)) throw new ConfigError(`the share of energy must lie in 0 … 1, got ${share}`);
  const squares = Array.from(values, (value) => value ** 2);
  const total = squares.reduce((a, b) => a + b, 0);
  let held = 0;
  let rank = 0;
  // the total is a sum of the same numbers in the same order, so that a share of 1 is reached
  while (held < share * total) held += squares[rank++]!;
  return rank;
}

/** A Aᵀ or Aᵀ A, whichever is smaller, as rows. */
function gram(values: Float32Array, numRows: number, numColumns: number): Float64Array[] {
  const isWide = numRows <= numColumns;
  const [size, length] = isWide ? [numRows, numColumns] : [numColumns, numRows];
  const vectors = Array.from({ length: size }, (_, i) =>
    isWide
      ? values.subarray(i * length, (i + 1) * length)
      : Float32Array.from({ length }, (_, j) => values[j * size + i]!),
  );
  const product = Array.from({ length: size }, () => new Float64Array(size));
  for (let i = 0; i < size; i++) {
    const a = vectors[i]!;
    for (let j = 0; j <= i; j++) {
      const b = vectors[j]!;
      let sum = 0;
      for (let k = 0; k < length; k++) sum += a[k]! * b[k]!;
      product[i]![j] = sum;
      product[j]![i] = sum;
    }
  }
  return product;
}

/** A symmetric matrix reduced to its diagonal and the one beside it by reflections; the matrix is used up. */
function tridiagonal(matrix: readonly Float64Array[]): { diagonal: Float64Array; offDiagonal: Float64Array } {
  const size = matrix.length;
  const offDiagonal = new Float64Array(size);
  for (let k = 0; k + 2 < size; k++) {
    const column = matrix[k]!; // symmetric: the row is the column
    let squares = 0;
    for (let i = k + 1; i < size; i++) squares += column[i]! ** 2;
    const alpha = column[k + 1]! > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    offDiagonal[k] = alpha;
    const v = column.slice();
    v[k + 1]! -= alpha;
    const half = squares - alpha * column[k + 1]!; // |v|² / 2
    if (half > 0) reflect(matrix, v, half, k + 1);
  }
  if (size > 1) offDiagonal[size - 2] = matrix[size - 2]![size - 1]!;
  return { diagonal: Float64Array.from(matrix, (row, i) => row[i]!), offDiagonal };
}

/** A ← H A H with H = I - v vᵀ / half, from `first` on. */
function reflect(matrix: readonly Float64Array[], v: Float64Array, half: number, first: number): void {
  const size = matrix.length;
  const p = new Float64Array(size);
  let pv = 0;
  for (let i = first; i < size; i++) {
    const row = matrix[i]!;
    let sum = 0;
    for (let j = first; j < size; j++) sum += row[j]! * v[j]!;
    p[i] = sum / half;
    pv += p[i]! * v[i]!;
  }
  const shift = pv / (2 * half);
  for (let i = first; i < size; i++) p[i]! -= shift * v[i]!;
  for (let i = first; i < size; i++) {
    const row = matrix[i]!;
    for (let j = first; j < size; j++) row[j]! -= v[i]! * p[j]! + p[i]! * v[j]!;
  }
}

/** Steps per eigenvalue after which something is wrong; 2 are usual. */
const MOST_STEPS = 60;

/** Eigenvalues of a symmetric tridiagonal matrix by implicit QL steps with Wilkinson's shift; both arrays are used up. */
function symmetricEigenvalues(d: Float64Array, e: Float64Array): Float64Array {
  const size = d.length;
  for (let l = 0; l < size; l++) {
    for (let steps = 0; ; steps++) {
      let m = l;
      while (m + 1 < size && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      if (steps === MOST_STEPS) throw new DataError("singular values: the iteration does not converge");
      qlStep(d, e, l, m);
    }
  }
  return d;
}

/** One step on rows l … m. */
function qlStep(d: Float64Array, e: Float64Array, l: number, m: number): void {
  const ratio = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.hypot(ratio, 1);
  let g = d[m]! - d[l]! + e[l]! / (ratio + (ratio >= 0 ? root : -root));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const [f, b] = [s * e[i]!, c * e[i]!];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}
