/**
 * @file Vectors as one signed byte per component: a quarter of the memory, and inner products within about 0.001.
 *
 * Scalar quantisation with a scale per vector, so that nothing is learned from others and nothing has to be rebuilt when
 * they change.
 */

import { ByteKernel } from "./simd/byte-kernel.js";

/** Slots whose codes are stored and changed together. */
export const slotsPerPage = 256;

/** Codes of the vectors in a page of slots. */
export interface BytePage {
  /** [slots · dimension]. */
  readonly bytes: Int8Array;
  /** What one step of a byte stands for; 0 where there is no vector. */
  readonly scales: Float32Array;
}

/** Vectors that are compared by one call of the kernel. */
const batchSize = 256;

/** Makes and reads codes of vectors of one dimension. */
export class ByteCodes {
  #kernel: ByteKernel | undefined;

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

  /**
   * Approximate inner products of a query with vectors that are named one after the other; `take` gets them in batches, the
   * last one with `flush`. Of use until this is called again.
   */
  compare(query: Float32Array, take: (key: number, product: number) => void): ByteComparison {
    this.#kernel ??= new ByteKernel(this.dimension, batchSize);
    return new ByteComparison(this.#kernel, query, take);
  }
}

/** Comparisons of a query under way. */
export class ByteComparison {
  readonly #kernel: ByteKernel;
  readonly #take: (key: number, product: number) => void;
  readonly #dimension: number;
  readonly #step: number;
  readonly #keys = new Float64Array(batchSize);
  readonly #scales = new Float32Array(batchSize);
  #count = 0;

  constructor(kernel: ByteKernel, query: Float32Array, take: (key: number, product: number) => void) {
    this.#kernel = kernel;
    this.#take = take;
    this.#dimension = query.length;
    this.#step = stepOf(query);
    for (let i = 0; i < query.length; i++) kernel.query[i] = Math.round(query[i]! / this.#step);
  }

  /** Names the vector at `index` of the page. */
  add(key: number, { bytes, scales }: BytePage, index: number): void {
    const from = index * this.#dimension;
    this.#kernel.vectors.set(bytes.subarray(from, from + this.#dimension), this.#count * this.#dimension);
    this.#keys[this.#count] = key;
    this.#scales[this.#count] = scales[index]!;
    if (++this.#count === batchSize) this.flush();
  }

  /** Compares what was named and is not compared yet. */
  flush(): void {
    if (this.#count === 0) return;
    const { products } = this.#kernel;
    this.#kernel.multiply(this.#count);
    for (let i = 0; i < this.#count; i++) this.#take(this.#keys[i]!, products[i]! * this.#scales[i]! * this.#step);
    this.#count = 0;
  }
}

/** What one step of a query's 16-bit code stands for: the finest of which products with bytes add up to less than 2^31. */
function stepOf(query: Float32Array): number {
  let [largest, sum] = [0, 0];
  for (const x of query) {
    largest = Math.max(largest, Math.abs(x));
    sum += Math.abs(x);
  }
  // half a step for each component's rounding
  return Math.max(largest / 32_767, (127 * sum) / (2 ** 31 - 127 * query.length), Number.MIN_VALUE);
}
