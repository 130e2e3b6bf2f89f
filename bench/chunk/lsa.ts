/** @file Latent semantic analysis as an embedder: no download, the same vectors in every run, alike for every chunker. */

import { Rng } from "../../src/base/rng.js";
import { words } from "../../src/text/index.js";

/**
 * Truncated SVD of the TF-IDF matrix of some texts (Deerwester et al. 1990) by randomised subspace iteration (Halko et al. 2011,
 * algorithm 4.4). A text's vector is the sum of its terms' weights times their left singular vectors, of length 1.
 */
export class Lsa {
  readonly #terms = new Map<string, number>();
  readonly #idf: Float64Array;
  /** [terms, dimension] */
  #basis: Float64Array;
  readonly dimension: number;

  constructor(texts: readonly string[], dimension = 256, numIterations = 4) {
    this.dimension = dimension;
    const counts = texts.map(termCounts);
    const frequency: number[] = [];
    for (const count of counts) {
      for (const term of count.keys()) {
        const id = this.#terms.get(term) ?? this.#terms.size;
        this.#terms.set(term, id);
        frequency[id] = (frequency[id] ?? 0) + 1;
      }
    }
    this.#idf = Float64Array.from(frequency, (n) => Math.log((1 + texts.length) / (1 + n)));
    const rows = counts.map((count) => this.#weights(count));
    const rng = new Rng(1);
    this.#basis = orthonormal(
      Float64Array.from({ length: this.#terms.size * dimension }, () => rng.below(2 ** 20) / 2 ** 19 - 1),
      dimension,
    );
    for (let i = 0; i < numIterations; i++) this.#basis = orthonormal(this.#applyGram(rows), dimension);
  }

  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    return texts.map((text) => {
      const sum = this.#project(this.#weights(termCounts(text)));
      const length = Math.hypot(...sum) || 1;
      return Float32Array.from(sum, (value) => value / length);
    });
  }

  /** Pairs of (term, weight) of length 1. */
  #weights(counts: ReadonlyMap<string, number>): [number, number][] {
    const pairs: [number, number][] = [];
    for (const [term, count] of counts) {
      const id = this.#terms.get(term);
      if (id !== undefined) pairs.push([id, (1 + Math.log(count)) * this.#idf[id]!]);
    }
    const length = Math.sqrt(pairs.reduce((sum, [, weight]) => sum + weight * weight, 0)) || 1;
    return pairs.map(([id, weight]) => [id, weight / length]);
  }

  #project(row: readonly [number, number][]): Float64Array {
    const sum = new Float64Array(this.dimension);
    for (const [id, weight] of row) {
      const at = id * this.dimension;
      for (let d = 0; d < this.dimension; d++) sum[d]! += weight * this.#basis[at + d]!;
    }
    return sum;
  }

  /** (Aᵀ A) · basis, where the rows of A are texts. */
  #applyGram(rows: readonly (readonly [number, number][])[]): Float64Array {
    const result = new Float64Array(this.#basis.length);
    for (const row of rows) {
      const projected = this.#project(row);
      for (const [id, weight] of row) {
        const at = id * this.dimension;
        for (let d = 0; d < this.dimension; d++) result[at + d]! += weight * projected[d]!;
      }
    }
    return result;
  }
}

function termCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { start, end } of words(text)) {
    const term = text.slice(start, end).toLowerCase();
    counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return counts;
}

/** Columns made orthonormal, one after the other (modified Gram-Schmidt). */
function orthonormal(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns;
  for (let c = 0; c < columns; c++) {
    let norm = 0;
    for (let r = 0; r < rows; r++) norm += matrix[r * columns + c]! ** 2;
    norm = Math.sqrt(norm) || 1;
    for (let r = 0; r < rows; r++) matrix[r * columns + c]! /= norm;
    const dots = new Float64Array(columns);
    for (let r = 0; r < rows; r++) {
      const value = matrix[r * columns + c]!;
      for (let d = c + 1; d < columns; d++) dots[d]! += value * matrix[r * columns + d]!;
    }
    for (let r = 0; r < rows; r++) {
      const value = matrix[r * columns + c]!;
      for (let d = c + 1; d < columns; d++) matrix[r * columns + d]! -= value * dots[d]!;
    }
  }
  return matrix;
}
