/** @file Round-to-nearest quantisation by blocks: 4 or 8 bits per weight and one scale per block, no offset. */

import { allocate } from "../../base/dtype.js";
import { ConfigError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";

/** A matrix [out, in] as levels and scales, packed as the matmul_nbits kernel reads it. */
export interface BlockwiseMatrix {
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** [out, blocks, blockSize · bits / 8] uint8; level 2^(bits-1) stands for zero. */
  readonly packed: HostTensor;
  /** [out · blocks] float32. */
  readonly scales: HostTensor;
}

/** Weights per scale where nothing else is said: ggml's block, and the runtime's fastest. */
export const BLOCK_SIZE = 32;

export interface BlockwiseOptions {
  readonly bits: 4 | 8;
  /** Weights per scale. Default `BLOCK_SIZE`. */
  readonly blockSize?: number;
}

/**
 * Quantises a matrix [out, in] row by row, block by block. 8 bits: scale = largest magnitude / 127. 4 bits, as ggml's Q4_0: the
 * element of largest magnitude is -8 scales, so that all 16 levels are used (the scale may be negative) and blocks that were
 * Q4_0 stay as they were. Arithmetic is float32, ties go to even and equal extremes to the positive one, as in the graph op
 * `fakeQuantize`: weights trained under it are packed to the same values.
 * @throws ConfigError when it is not a float32 matrix.
 */
export function quantizeBlockwise(
  matrix: HostTensor,
  { bits, blockSize = BLOCK_SIZE }: BlockwiseOptions,
): BlockwiseMatrix {
  const [outFeatures, inFeatures] = matrix.shape;
  if (
    matrix.dtype !== "float32" ||
    outFeatures === undefined ||
    inFeatures === undefined ||
    matrix.shape.length !== 2
  ) {
    throw new ConfigError(`blockwise quantisation takes float32 matrices, got ${matrix.dtype}[${matrix.shape}]`);
  }
  const blocks = Math.ceil(inFeatures / blockSize);
  const levels = allocate("uint8", outFeatures * blocks * blockSize);
  const scales = allocate("float32", outFeatures * blocks);
  const values = matrix.data as Float32Array;
  const zero = 2 ** (bits - 1);
  levels.fill(zero);
  for (let block = 0; block < scales.length; block++) {
    const column = (block % blocks) * blockSize;
    const start = Math.floor(block / blocks) * inFeatures + column;
    const count = Math.min(blockSize, inFeatures - column);
    let extreme = 0;
    for (let i = start; i < start + count; i++) {
      const value = values[i]!;
      if (Math.abs(value) > Math.abs(extreme) || (value === -extreme && value > 0)) extreme = value;
    }
    const scale = Math.fround(bits === 4 ? extreme / -zero : Math.abs(extreme) / (zero - 1));
    scales[block] = scale;
    if (scale === 0) continue;
    const most = 2 * zero - 1;
    for (let i = 0; i < count; i++) {
      const level = Math.fround(Math.fround(values[start + i]! / scale) + TO_WHOLE) - TO_WHOLE;
      levels[block * blockSize + i] = Math.min(most, level + zero);
    }
  }
  const packedShape = [outFeatures, blocks, (blockSize * bits) / 8];
  return {
    outFeatures,
    inFeatures,
    bits,
    blockSize,
    packed: { dtype: "uint8", shape: packedShape, data: bits === 8 ? levels : packNibbles(levels) },
    scales: { dtype: "float32", shape: [scales.length], data: scales },
  };
}

/** Added to a float32 and taken away again, it leaves a whole number, ties to even. */
const TO_WHOLE = 1.5 * 2 ** 23;

/** Two levels per byte, the first one low. */
function packNibbles(levels: Uint8Array): Uint8Array {
  const packed = allocate("uint8", levels.length / 2);
  for (let i = 0; i < packed.length; i++) packed[i] = levels[2 * i]! | (levels[2 * i + 1]! << 4);
  return packed;
}

/** Row `row` of a quantised matrix as float32, written to `out` [in]. */
export function dequantizeRow(matrix: BlockwiseMatrix, row: number, out: Float32Array): void {
  const { inFeatures, bits, blockSize, packed, scales } = matrix;
  const blocks = Math.ceil(inFeatures / blockSize);
  const [bytes, factors] = [packed.data as Uint8Array, scales.data as Float32Array];
  const zero = 2 ** (bits - 1);
  for (let i = 0; i < inFeatures; i++) {
    const at = row * blocks * blockSize + i;
    const byte = bytes[bits === 8 ? at : at >> 1]!;
    const level = bits === 8 ? byte : at % 2 === 0 ? byte & 15 : byte >> 4;
    out[i] = (level - zero) * factors[row * blocks + Math.floor(i / blockSize)]!;
  }
}

/** The whole matrix as float32. */
export function dequantize(matrix: BlockwiseMatrix): HostTensor {
  const { outFeatures, inFeatures } = matrix;
  const data = allocate("float32", outFeatures * inFeatures);
  for (let row = 0; row < outFeatures; row++) {
    dequantizeRow(matrix, row, data.subarray(row * inFeatures, (row + 1) * inFeatures));
  }
  return { dtype: "float32", shape: [outFeatures, inFeatures], data };
}

/** Bytes that the packed matrix takes. */
export function blockwiseBytes({ packed, scales }: BlockwiseMatrix): number {
  return packed.data.byteLength + scales.data.byteLength;
}
