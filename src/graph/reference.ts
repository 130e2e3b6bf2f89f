/** @file Plain float64 arrays: the arithmetic that lowering and gradients are checked against. */

import type { DType } from "../base/dtype.js";
import { sizeOf } from "../base/host-tensor.js";
import { broadcastShapes, evaluateShape } from "./dim.js";

/** A value of the reference interpreter. Integers and booleans are exact in float64 up to 2^53. */
export interface Reference {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function reference(dtype: DType, shape: readonly number[], data?: Float64Array): Reference {
  return { dtype, shape, data: data ?? new Float64Array(sizeOf(shape)) };
}

/** Row-major strides; 0 for an axis of size 1 that is stretched to `shape`. */
function broadcastStrides(from: readonly number[], shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    if (from[i] !== 1) strides[i + shape.length - from.length] = step;
    step *= from[i]!;
  }
  return strides;
}

/** Calls `visit(flat, index)` for every element of a shape; `index` is reused. */
export function forEachIndex(shape: readonly number[], visit: (flat: number, index: readonly number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(flat, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Flat position of a multi-index in a row-major array. */
export function flatIndex(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0);
}

/** x stretched to `shape`. */
export function broadcastReference(x: Reference, shape: readonly number[]): Reference {
  const out = reference(x.dtype, shape);
  const strides = broadcastStrides(x.shape, shape);
  forEachIndex(shape, (flat, index) => {
    out.data[flat] = x.data[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
  });
  return out;
}

/** f elementwise over operands that broadcast. */
export function mapReference(
  dtype: DType,
  operands: readonly Reference[],
  f: (...values: number[]) => number,
): Reference {
  const shape = operands
    .map((operand) => operand.shape)
    .reduce((a, b) => evaluateShape(broadcastShapes("map", a, b), {}));
  const stretched = operands.map((operand) => broadcastReference(operand, shape).data);
  const out = reference(dtype, shape);
  for (let i = 0; i < out.data.length; i++) out.data[i] = f(...stretched.map((data) => data[i]!));
  return out;
}
