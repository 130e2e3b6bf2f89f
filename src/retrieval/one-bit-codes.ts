/**
 * @file Vectors as one bit per dimension: small enough to scan them all, good enough to say which few need a closer look.
 *
 * There is no graph or cluster to build or to repair, so adding, replacing and removing vectors costs the same forever.
 * Source: RaBitQ, Gao and Long, SIGMOD 2024, arXiv:2405.12497, sections 3.1 and 3.2. Its random rotation is replaced by
 * rounds of sign flips and Hadamard transforms, in O(D log D); its query is not quantised, because a table lookup per
 * byte is as fast in JavaScript.
 */
import { Rng } from "../base/rng.js";

/** Rounds after which the rotation is as good as random for real embeddings; even, so that every dimension is mixed. */
const numRounds = 4;

/**
 * How far above its estimate an inner product is thought possible, in standard deviations. The value
 * of the paper: those that pass are looked at more closely in memory, which costs little.
 */
const numDeviations = 1.9;

/** The same in every index: another seed would make stored codes unreadable. */
const rotationSeed = 384;

/** Codes of a block of vectors. */
export interface CodeBlock {
  /** Signs after rotation, D bits per vector, filled up to whole 64-bit words. */
  readonly bits: Uint8Array;
  /** 1 / ‖rotated vector‖₁: turns a sum over signs into an estimate of the inner product. 0 where there is no vector. */
  readonly scales: Float32Array;
  /** How far the estimate may be below the truth, in nearly all cases. */
  readonly errors: Float32Array;
}

/** Makes and reads codes of unit vectors of one dimension. */
export class OneBitCodes {
  readonly bytesPerVector: number;
  readonly #dimension: number;
  readonly #signs: readonly Float32Array[];

  constructor(dimension: number) {
    const rng = new Rng(rotationSeed);
    this.#dimension = dimension;
    this.bytesPerVector = Math.ceil(dimension / 64) * 8;
    this.#signs = Array.from({ length: numRounds }, () =>
      Float32Array.from({ length: dimension }, () => (rng.below(2) === 0 ? -1 : 1)),
    );
  }

  emptyBlock(numVectors: number): CodeBlock {
    return {
      bits: new Uint8Array(numVectors * this.bytesPerVector),
      scales: new Float32Array(numVectors),
      errors: new Float32Array(numVectors),
    };
  }

  /** Writes the code of a vector at `index` of the block. */
  encode(vector: Float32Array, block: CodeBlock, index: number): void {
    const rotated = this.#rotate(vector);
    const first = index * this.bytesPerVector;
    block.bits.fill(0, first, first + this.bytesPerVector);
    let sum = 0;
    for (let i = 0; i < rotated.length; i++) {
      sum += Math.abs(rotated[i]!);
      if (rotated[i]! >= 0) block.bits[first + (i >> 3)]! |= 1 << (i & 7);
    }
    block.scales[index] = 1 / sum;
    // of the angle between the vector and its code; the spread of the estimate grows with the tangent (theorem 3.2)
    const cosine = Math.min(1, sum / Math.sqrt(this.#dimension));
    const tangent = Math.sqrt(1 - cosine * cosine) / cosine;
    block.errors[index] = (numDeviations * tangent) / Math.sqrt(Math.max(1, this.#dimension - 1));
  }

  /**
   * A function that bounds the inner products of a query with the vectors of a block from above. It fills a value for each
   * vector, exceeded in one case of thirty; -Infinity where there is no vector.
   */
  bounds(query: Float32Array): (block: CodeBlock, bounds: Float32Array) => void {
    const table = signSums(this.#rotate(query), this.bytesPerVector);
    return ({ bits, scales, errors }, bounds) => {
      for (let index = 0, at = 0; index < bounds.length; index++) {
        let even = 0;
        let odd = 0;
        // eight bytes at a time in two sums: an addition has to wait for the one before it in the same sum
        for (let row = 0; row < table.length; row += 2048, at += 8) {
          even +=
            table[row + bits[at]!]! +
            table[row + 256 + bits[at + 1]!]! +
            table[row + 512 + bits[at + 2]!]! +
            table[row + 768 + bits[at + 3]!]!;
          odd +=
            table[row + 1024 + bits[at + 4]!]! +
            table[row + 1280 + bits[at + 5]!]! +
            table[row + 1536 + bits[at + 6]!]! +
            table[row + 1792 + bits[at + 7]!]!;
        }
        const scale = scales[index]!;
        bounds[index] = scale === 0 ? Number.NEGATIVE_INFINITY : (even + odd) * scale + errors[index]!;
      }
    };
  }

  #rotate(vector: Float32Array): Float32Array {
    const rotated = Float32Array.from(vector);
    const width = 2 ** Math.floor(Math.log2(this.#dimension));
    for (const [round, signs] of this.#signs.entries()) {
      for (let i = 0; i < rotated.length; i++) rotated[i]! *= signs[i]!;
      // the widest power of two that fits, at the front and at the back in turn: their overlap mixes both
      const start = round % 2 === 0 ? 0 : this.#dimension - width;
      hadamard(rotated.subarray(start, start + width));
    }
    return rotated;
  }
}

/** Fast Walsh-Hadamard transform in place, scaled to keep lengths; the length is a power of two. */
function hadamard(x: Float32Array): void {
  for (let half = 1; half < x.length; half *= 2) {
    for (let start = 0; start < x.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const left = x[i]!;
        const right = x[i + half]!;
        x[i] = left + right;
        x[i + half] = left - right;
      }
    }
  }
  const scale = 1 / Math.sqrt(x.length);
  for (let i = 0; i < x.length; i++) x[i]! *= scale;
}

/** For each byte of a code and each of its 256 values, the sum of eight query components with the signs of its bits. */
function signSums(query: Float32Array, numBytes: number): Float32Array {
  const table = new Float32Array(numBytes * 256);
  for (let byte = 0; byte < numBytes; byte++) {
    for (let value = 0; value < 256; value++) {
      let sum = 0;
      for (let bit = 0; bit < 8; bit++) {
        const component = query[byte * 8 + bit] ?? 0;
        sum += (value >> bit) & 1 ? component : -component;
      }
      table[byte * 256 + value] = sum;
    }
  }
  return table;
}
