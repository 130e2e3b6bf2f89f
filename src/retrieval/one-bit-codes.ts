/**
 * @file Vectors as one bit per dimension: small enough to scan them all, good enough to say which few need a closer look.
 *
 * There is no graph or cluster to build or to repair, so adding, replacing and removing vectors costs the same forever.
 * Source: RaBitQ, Gao and Long, SIGMOD 2024, arXiv:2405.12497, sections 3.1 and 3.2. Its random rotation is replaced by
 * rounds of sign flips and Hadamard transforms, in O(D log D); of its two ways to compute, sums over bits by popcount and
 * tables for four bits at a time, this is the second.
 */
import { Rng } from "../base/rng.js";
import { numLanes, SignKernel } from "./simd/sign-kernel.js";

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

/** Codes of a block as they are scanned. */
export interface ScanBlock extends Pick<CodeBlock, "scales" | "errors"> {
  /** Of 16 vectors the first byte of each, then the second of each and so on; then those of the next 16. */
  readonly lanes: Uint8Array;
}

/** Vectors that are scanned by one call of the kernel, in a memory that a core has near. */
const numScanned = 2048;

/** Makes and reads codes of unit vectors of one dimension. */
export class OneBitCodes {
  #kernel: SignKernel | undefined;
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

  /** The codes of a block in the order in which they are scanned. */
  scannable({ bits, scales, errors }: CodeBlock): ScanBlock {
    const { bytesPerVector } = this;
    const groupBytes = numLanes * bytesPerVector;
    const lanes = new Uint8Array(Math.ceil(bits.length / groupBytes) * groupBytes);
    for (let index = 0, at = 0; at < bits.length; index++) {
      const lane = Math.floor(index / numLanes) * groupBytes + (index % numLanes);
      for (let byte = 0; byte < bytesPerVector; byte++, at++) lanes[lane + byte * numLanes] = bits[at]!;
    }
    return { lanes, scales, errors };
  }

  /**
   * A function that bounds the inner products of a query with the vectors of a block from above. It fills a value for each
   * vector, exceeded in one case of thirty; -Infinity where there is no vector. Of use until this is called again.
   */
  bounds(query: Float32Array): (block: ScanBlock, bounds: Float32Array) => void {
    this.#kernel ??= new SignKernel(this.bytesPerVector, numScanned);
    const { tables, codes, sums, scan } = this.#kernel;
    const { least, step } = fillTables(this.#rotate(query), tables);
    return ({ lanes, scales, errors }, bounds) => {
      for (let start = 0; start < bounds.length; start += numScanned) {
        const end = Math.min(start + numScanned, bounds.length);
        const numGroups = Math.ceil((end - start) / numLanes);
        const from = start * this.bytesPerVector;
        codes.set(lanes.subarray(from, from + numGroups * numLanes * this.bytesPerVector));
        scan(numGroups);
        for (let i = start; i < end; i++) {
          const scale = scales[i]!;
          bounds[i] = scale === 0 ? Number.NEGATIVE_INFINITY : (least + step * sums[i - start]!) * scale + errors[i]!;
        }
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

/**
 * For each half byte of a code and each of its 16 values, the sum of four query components with the signs of its bits, in
 * steps above the least that it can be. In 384 dimensions the rounding of all is a few hundredths of the deviation that
 * bounds allow for.
 * @returns what a sum of entries stands for: `least + step · sum`.
 */
function fillTables(query: Float32Array, tables: Uint8Array): { readonly least: number; readonly step: number } {
  const numTables = tables.length / 16;
  const ranges = Float32Array.from({ length: numTables }, (_, table) => {
    let sum = 0;
    for (let i = 4 * table; i < 4 * table + 4; i++) sum += Math.abs(query[i] ?? 0);
    return sum;
  });
  // two entries fit a byte, and all of them 16 bits
  const largest = Math.min(127, Math.floor(65_535 / numTables));
  const step = Math.max((2 * Math.max(...ranges)) / largest, Number.MIN_VALUE);
  for (let table = 0; table < numTables; table++) {
    for (let value = 0; value < 16; value++) {
      let sum = ranges[table]!;
      for (let bit = 0; bit < 4; bit++) {
        const component = query[4 * table + bit] ?? 0;
        sum += (value >> bit) & 1 ? component : -component;
      }
      tables[16 * table + value] = Math.round(sum / step);
    }
  }
  return { least: -ranges.reduce((sum, range) => sum + range, 0), step };
}
