/** @file A tensor in host memory: what checkpoints hold, programs take, and optimisers update in place. */

import { allocate, bytesPerElement, type DType, fromBFloat16, fromFloat16, type TypedArray } from "./dtype.js";
import { DTypeError, ShapeError } from "./errors.js";

/** Values with a shape, row-major. `data` may be a view of a larger buffer. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Bytes that a tensor of this dtype and shape takes. */
export function byteSize(dtype: DType, shape: readonly number[]): number {
  return sizeOf(shape) * bytesPerElement(dtype);
}

/** Zeros. */
export function zeros(dtype: DType, shape: readonly number[]): HostTensor {
  return { dtype, shape, data: allocate(dtype, sizeOf(shape)) };
}

/**
 * Wraps `data` without copying it.
 * @throws ShapeError when the element count differs from the shape's.
 */
export function hostTensor(dtype: DType, shape: readonly number[], data: TypedArray): HostTensor {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`a tensor of shape [${shape}] has ${sizeOf(shape)} elements, but the data has ${data.length}`);
  }
  return { dtype, shape, data };
}

/** Rows `start` to `end` of the first axis, as a view on the same memory. */
export function rows(tensor: HostTensor, start: number, end: number): HostTensor {
  const [count = 0, ...rest] = tensor.shape;
  if (!(0 <= start && start <= end && end <= count)) {
    throw new ShapeError(`rows ${start} to ${end} do not lie within a tensor of shape [${tensor.shape}]`);
  }
  const stride = sizeOf(rest);
  return {
    dtype: tensor.dtype,
    shape: [end - start, ...rest],
    data: tensor.data.subarray(start * stride, end * stride),
  };
}

/** The values as float32: the same array where they already are, a converted copy for other floats. */
export function asFloat32(tensor: HostTensor): Float32Array {
  const { dtype, data } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof Uint16Array && (dtype === "float16" || dtype === "bfloat16")) {
    const convert = dtype === "float16" ? fromFloat16 : fromBFloat16;
    const out = allocate("float32", data.length);
    for (let i = 0; i < data.length; i++) out[i] = convert(data[i]!);
    return out;
  }
  throw new DTypeError(`expected floating-point values, got ${dtype}`);
}
