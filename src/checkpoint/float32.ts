/** @file Stored numbers of any element type as float32, a piece at a time, so that a tensor never lies in memory twice. */

import { bytesPerElement, type DType, fromFloat16, type TypedArray, viewBytes } from "../base/dtype.js";
import { CapacityError, DTypeError, messageOf } from "../base/errors.js";
import type { ByteFile } from "./byte-file.js";

/** Element types that files hold: those of tensors, and 8-bit floats, which are only read. Names of the latter as in PyTorch. */
export type StoredType = DType | "float8_e4m3fn" | "float8_e5m2";

/** Bytes read before they are converted: large enough for full speed, small beside any model. */
const pieceBytes = 2 ** 20;

/** Bytes of one stored element. */
export function storedElementBytes(dtype: StoredType): number {
  return isFloat8(dtype) ? 1 : bytesPerElement(dtype);
}

export function isFloat8(dtype: StoredType): dtype is "float8_e4m3fn" | "float8_e5m2" {
  return dtype === "float8_e4m3fn" || dtype === "float8_e5m2";
}

/**
 * Converts little-endian values. Floats are exact, or rounded to nearest from float64; integers are exact.
 * @param bytes begins at a multiple of the element size of its buffer.
 * @throws DTypeError for an integer that float32 cannot hold.
 */
export function convertToFloat32(dtype: StoredType, bytes: Uint8Array, target: Float32Array): void {
  if (isFloat8(dtype)) {
    fromTable(bytes, target, dtype === "float8_e5m2" ? fromE5M2 : fromE4M3);
    return;
  }
  const values = viewBytes(dtype, bytes.buffer, bytes.byteOffset, target.length);
  if (dtype === "bfloat16") fromBFloat16s(values as Uint16Array, target);
  else if (dtype === "float16") fromFloat16s(values as Uint16Array, target);
  else if (dtype === "float32" || dtype === "float64") target.set(values as Float32Array | Float64Array);
  else fromIntegers(dtype, values, target);
}

function fromIntegers(dtype: DType, values: TypedArray, target: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    target[i] = Number(value);
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint equals a number of the same value only loosely
    if (target[i] != value) throw new DTypeError(`float32 cannot hold the ${dtype} value ${value} exactly`);
  }
}

/** bfloat16 is the upper half of a float32. */
function fromBFloat16s(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
}

function fromFloat16s(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    if ((half & 0x7c00) === 0x7c00) {
      bits[i] = sign | 0x7f800000 | ((half & 0x3ff) << 13);
    } else {
      // exponents differ by 127 - 15; a product by a power of two is exact and takes care of subnormal numbers
      bits[i] = sign | ((half & 0x7fff) << 13);
      target[i]! *= 2 ** 112;
    }
  }
}

function fromTable(bytes: Uint8Array, target: Float32Array, decode: (byte: number) => number): void {
  const table = Float32Array.from({ length: 256 }, (_, byte) => decode(byte));
  for (let i = 0; i < target.length; i++) target[i] = table[bytes[i]!]!;
}

/** E5M2 is the upper half of a float16 (OCP 8-bit floating point specification, 2023). */
function fromE5M2(byte: number): number {
  return fromFloat16(byte << 8);
}

/** E4M3 without infinities: bias 7, all ones is NaN (OCP 8-bit floating point specification, 2023). */
function fromE4M3(byte: number): number {
  const [sign, exponent, mantissa] = [byte & 0x80 ? -1 : 1, (byte >>> 3) & 0xf, byte & 7];
  if (exponent === 0xf && mantissa === 7) return Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -9 : sign * (1 + mantissa / 8) * 2 ** (exponent - 7);
}

/** A run of values in a file, in blocks that are converted as one. */
export interface StoredRun {
  readonly offset: number;
  readonly bytes: number;
  /** Values of one block. */
  readonly blockSize: number;
  /** Bytes of one block. */
  readonly blockBytes: number;
  readonly convert: (bytes: Uint8Array, target: Float32Array) => void;
}

/** Reads files into float32 through one small buffer, which it keeps for the next tensor. */
export class PiecewiseReader {
  #buffer: Uint8Array<ArrayBuffer> | undefined;

  /** Reads a run and converts it into `target`, piece by piece. */
  async read(file: ByteFile, run: StoredRun, target: Float32Array): Promise<void> {
    // reads may overlap: whoever comes while the buffer is out makes another
    const buffer = this.#buffer ?? new Uint8Array(pieceBytes);
    this.#buffer = undefined;
    const step = Math.floor(buffer.length / run.blockBytes) * run.blockBytes;
    for (let at = 0; at < run.bytes; at += step) {
      const piece = buffer.subarray(0, Math.min(step, run.bytes - at));
      await file.readInto(run.offset + at, piece);
      const first = (at / run.blockBytes) * run.blockSize;
      run.convert(piece, target.subarray(first, first + (piece.length / run.blockBytes) * run.blockSize));
    }
    this.#buffer = buffer;
  }
}

/**
 * Memory for one tensor.
 * @throws CapacityError naming the tensor when there is none.
 */
export function reserve<T>(make: () => T, what: string): T {
  try {
    return make();
  } catch (thrown) {
    throw new CapacityError(`no memory for ${what}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
