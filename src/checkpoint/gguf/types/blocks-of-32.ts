/**
 * @file ggml's types with blocks of 32 values: Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0.
 *
 * Layouts and rounding follow `block_q*` and `quantize_row_q*_ref` of ggml (https://github.com/ggml-org/llama.cpp, ggml-quants.c), whose
 * arithmetic is float32: `Math.fround` stands wherever it rounds. Value i of a 4-bit block is a low half byte for i < 16, else a high one.
 */

import { fromFloat16, toFloat16 } from "../../../base/dtype.js";
import { CheckpointError } from "../../../base/errors.js";
import { dataView, type GgmlType } from "../ggml-type.js";

const { abs, floor, fround, min, sign, trunc } = Math;
const blockSize = 32;

interface SmallBlock {
  readonly name: string;
  readonly code: number;
  /** Bits of one value: 4 or 5. The fifth bits are a 32-bit word before the halves. */
  readonly bits: 4 | 5;
  /** Whether a minimum is stored (`d * q + m`); else values are centred (`d * (q - 2^(bits-1))`). */
  readonly hasMinimum: boolean;
}

function smallBlock({ name, code, bits, hasMinimum }: SmallBlock): GgmlType {
  const highAt = hasMinimum ? 4 : 2;
  const lowAt = highAt + (bits === 5 ? 4 : 0);
  const blockBytes = lowAt + 16;
  const centre = hasMinimum ? 0 : 1 << (bits - 1);
  const dequantize: GgmlType["dequantize"] = (bytes, target) => {
    const view = dataView(bytes);
    for (let at = 0, out = 0; at < bytes.length; at += blockBytes, out += blockSize) {
      const d = fromFloat16(view.getUint16(at, true));
      // -0: the sum must keep a product of -0
      const m = hasMinimum ? fromFloat16(view.getUint16(at + 2, true)) : -0;
      const high = bits === 5 ? view.getUint32(at + highAt, true) : 0;
      for (let j = 0; j < 16; j++) {
        const byte = bytes[at + lowAt + j]!;
        target[out + j] = d * (((byte & 0xf) | (((high >>> j) & 1) << 4)) - centre) + m;
        target[out + j + 16] = d * (((byte >>> 4) | (((high >>> (j + 16)) & 1) << 4)) - centre) + m;
      }
    }
  };
  return { name, code, blockSize, blockBytes, dequantize };
}

/** Rounds half away from zero, as C's `roundf`. */
function round(value: number): number {
  return sign(value) * floor(abs(value) + 0.5);
}

/** The first value of the largest magnitude in a block. */
function extreme(values: Float32Array, start: number): number {
  let found = 0;
  for (let i = start; i < start + blockSize; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) throw new CheckpointError(`cannot quantise the value ${value}; only finite numbers`);
    if (abs(value) > abs(found)) found = value;
  }
  return found;
}

function scaleBits(d: number, name: string): number {
  const half = toFloat16(d);
  if ((half & 0x7fff) === 0x7c00) {
    throw new CheckpointError(`cannot store the scale ${d} of a ${name} block in float16; write this tensor as F32`);
  }
  return half;
}

function quantizeQ4_0(values: Float32Array, target: Uint8Array): void {
  const view = dataView(target);
  for (let at = 0, from = 0; from < values.length; at += 18, from += blockSize) {
    const d = fround(extreme(values, from) / -8);
    const inverse = d === 0 ? 0 : fround(1 / d);
    view.setUint16(at, scaleBits(d, "Q4_0"), true);
    const code = (i: number): number => min(15, trunc(fround(fround(values[from + i]! * inverse) + 8.5)));
    for (let j = 0; j < 16; j++) target[at + 2 + j] = code(j) | (code(j + 16) << 4);
  }
}

function quantizeQ8_0(values: Float32Array, target: Uint8Array): void {
  const view = dataView(target);
  for (let at = 0, from = 0; from < values.length; at += 34, from += blockSize) {
    const d = fround(abs(extreme(values, from)) / 127);
    const inverse = d === 0 ? 0 : fround(1 / d);
    view.setUint16(at, scaleBits(d, "Q8_0"), true);
    for (let j = 0; j < blockSize; j++) view.setInt8(at + 2 + j, round(fround(values[from + j]! * inverse)));
  }
}

export const q4_0: GgmlType = {
  ...smallBlock({ name: "Q4_0", code: 2, bits: 4, hasMinimum: false }),
  quantize: quantizeQ4_0,
};
export const q4_1 = smallBlock({ name: "Q4_1", code: 3, bits: 4, hasMinimum: true });
export const q5_0 = smallBlock({ name: "Q5_0", code: 6, bits: 5, hasMinimum: false });
export const q5_1 = smallBlock({ name: "Q5_1", code: 7, bits: 5, hasMinimum: true });

export const q8_0: GgmlType = {
  name: "Q8_0",
  code: 8,
  blockSize,
  blockBytes: 34,
  dequantize(bytes, target) {
    const view = dataView(bytes);
    for (let at = 0, out = 0; at < bytes.length; at += 34, out += blockSize) {
      const d = fromFloat16(view.getUint16(at, true));
      for (let j = 0; j < blockSize; j++) target[out + j] = d * view.getInt8(at + 2 + j);
    }
  },
  quantize: quantizeQ8_0,
};
