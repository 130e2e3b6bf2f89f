/** @file Element types, their typed arrays, and conversions between float formats. */

/** Element type of a tensor, named as in NumPy. `bool` takes one byte; `bfloat16` and `float16` live in `Uint16Array`. */
export type DType =
  | "float32"
  | "float16"
  | "bfloat16"
  | "float64"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

const arrays = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

export type ArrayOf<D extends DType> = InstanceType<(typeof arrays)[D]>;

/** All element types. */
export const dtypes = Object.keys(arrays) as readonly DType[];

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float16" || dtype === "bfloat16" || dtype === "float64";
}

/** A zeroed array of `length` elements on a buffer of its own. */
export function allocate<D extends DType>(dtype: D, length: number): ArrayOf<D> {
  return viewBytes(dtype, new ArrayBuffer(length * bytesPerElement(dtype)), 0, length);
}

/** `length` elements of `buffer` from `byteOffset` on, without a copy. The offset must be a multiple of the element size. */
export function viewBytes<D extends DType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): ArrayOf<D> {
  const array: unknown = arrays[dtype];
  return new (array as new (b: ArrayBufferLike, o: number, n: number) => ArrayOf<D>)(buffer, byteOffset, length);
}

const bits = new DataView(new ArrayBuffer(4));

/** float32 → bfloat16 bits, rounding to nearest even; NaN stays NaN. */
export function toBFloat16(value: number): number {
  bits.setFloat32(0, value);
  const u = bits.getUint32(0);
  if ((u & 0x7fffffff) > 0x7f800000) return (u >>> 16) | 0x40; // keep NaN from rounding to infinity
  return ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff;
}

/** bfloat16 bits → number, exact. */
export function fromBFloat16(half: number): number {
  bits.setUint32(0, half << 16);
  return bits.getFloat32(0);
}

/** float32 → IEEE 754 binary16 bits, rounding to nearest even; overflow gives infinity, small values subnormals. */
export function toFloat16(value: number): number {
  bits.setFloat32(0, value);
  const u = bits.getUint32(0);
  const sign = (u >>> 16) & 0x8000;
  const magnitude = u & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 : 0);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65520 or more
  if (magnitude < 0x38800000) {
    // subnormal: value = mantissa * 2^-24
    const scaled = Math.abs(bits.getFloat32(0)) * 2 ** 24;
    const floor = Math.floor(scaled);
    const rest = scaled - floor;
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && floor & 1) ? 1 : 0));
  }
  const rounded = magnitude - 0x38000000;
  return sign | ((rounded + 0xfff + ((rounded >>> 13) & 1)) >>> 13);
}

/** IEEE 754 binary16 bits → number, exact. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
