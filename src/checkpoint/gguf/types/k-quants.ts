/**
 * @file ggml's types with super-blocks of 256 values, read only: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K and Q8_K.
 *
 * Layouts follow `block_q*_K` and `dequantize_row_q*_K` of ggml (https://github.com/ggml-org/llama.cpp, ggml-quants.c). A super-block has a
 * scale d (and dmin), sub-blocks of 16 or 32 values have small integer scales that multiply it.
 */

import { fromFloat16 } from "../../../base/dtype.js";
import { dataView, type GgmlType } from "../ggml-type.js";

const blockSize = 256;

/** Unpacks the super-block that starts at `at` into `target` from `out` on. */
type Unpack = (bytes: Uint8Array, at: number, target: Float32Array, out: number, view: DataView) => void;

function superBlock(name: string, code: number, blockBytes: number, unpack: Unpack): GgmlType {
  return {
    name,
    code,
    blockSize,
    blockBytes,
    dequantize(bytes, target) {
      const view = dataView(bytes);
      for (let at = 0, out = 0; at < bytes.length; at += blockBytes, out += blockSize)
        unpack(bytes, at, target, out, view);
    },
  };
}

/** scales[16] (4-bit scale, 4-bit minimum), qs[64], d, dmin. */
export const q2_k = superBlock("Q2_K", 10, 84, (bytes, at, target, out, view) => {
  const d = fromFloat16(view.getUint16(at + 80, true));
  const dmin = fromFloat16(view.getUint16(at + 82, true));
  for (let i = 0; i < blockSize; i++) {
    const scale = bytes[at + (i >> 4)]!;
    const q = (bytes[at + 16 + (i >> 7) * 32 + (i & 31)]! >>> (2 * ((i >> 5) & 3))) & 3;
    target[out + i] = d * (scale & 0xf) * q - dmin * (scale >>> 4);
  }
});

/** hmask[32], qs[64], scales[12] (16 of 6 bits: low 4 in bytes 0-7, high 2 in bytes 8-11), d. */
export const q3_k = superBlock("Q3_K", 11, 110, (bytes, at, target, out, view) => {
  const d = fromFloat16(view.getUint16(at + 108, true));
  for (let i = 0; i < blockSize; i++) {
    const s = i >> 4;
    const low = (bytes[at + 96 + (s & 7)]! >>> (4 * (s >> 3))) & 0xf;
    const high = (bytes[at + 104 + (s & 3)]! >>> (2 * (s >> 2))) & 3;
    const q = (bytes[at + 32 + (i >> 7) * 32 + (i & 31)]! >>> (2 * ((i >> 5) & 3))) & 3;
    // the third bit is stored inverted: where it is not set, 4 is subtracted
    const isSet = (bytes[at + (i & 31)]! >>> (i >> 5)) & 1;
    target[out + i] = d * ((low | (high << 4)) - 32) * (q - (isSet ? 0 : 4));
  }
});

/** The 6-bit scale and minimum of sub-block j, packed in 12 bytes (`get_scale_min_k4`). */
function scaleAndMinimum(bytes: Uint8Array, at: number, j: number): readonly [scale: number, minimum: number] {
  if (j < 4) return [bytes[at + j]! & 63, bytes[at + j + 4]! & 63];
  const low = bytes[at + j + 4]!;
  return [(low & 0xf) | ((bytes[at + j - 4]! >>> 6) << 4), (low >>> 4) | ((bytes[at + j]! >>> 6) << 4)];
}

/** Q4_K and Q5_K: d, dmin, scales[12], fifth bits [32] if any, low 4 bits [128]. */
function withMinima(highBytes: 0 | 32): Unpack {
  return (bytes, at, target, out, view) => {
    const d = fromFloat16(view.getUint16(at, true));
    const dmin = fromFloat16(view.getUint16(at + 2, true));
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum(bytes, at + 4, j);
      const factor = d * scale;
      const offset = dmin * minimum;
      const lowAt = at + 16 + highBytes + (j >> 1) * 32;
      for (let i = 0; i < 32; i++) {
        const low = (bytes[lowAt + i]! >>> (4 * (j & 1))) & 0xf;
        const high = highBytes === 0 ? 0 : (bytes[at + 16 + i]! >>> j) & 1;
        target[out + 32 * j + i] = factor * (low | (high << 4)) - offset;
      }
    }
  };
}

export const q4_k = superBlock("Q4_K", 12, 144, withMinima(0));
export const q5_k = superBlock("Q5_K", 13, 176, withMinima(32));

/** ql[128], qh[64], scales[16] (int8), d. */
export const q6_k = superBlock("Q6_K", 14, 210, (bytes, at, target, out, view) => {
  const d = fromFloat16(view.getUint16(at + 208, true));
  for (let i = 0; i < blockSize; i++) {
    const half = i >> 7;
    const quarter = (i >> 5) & 3;
    const low = (bytes[at + half * 64 + (quarter & 1) * 32 + (i & 31)]! >>> (4 * (quarter >> 1))) & 0xf;
    const high = (bytes[at + 128 + half * 32 + (i & 31)]! >>> (2 * quarter)) & 3;
    target[out + i] = d * view.getInt8(at + 192 + (i >> 4)) * ((low | (high << 4)) - 32);
  }
});

/** d (float32), qs[256] (int8), sums[16]. */
export const q8_k = superBlock("Q8_K", 15, 292, (_bytes, at, target, out, view) => {
  const d = view.getFloat32(at, true);
  for (let i = 0; i < blockSize; i++) target[out + i] = d * view.getInt8(at + 4 + i);
});
