/** @file Memory for keys and values. */

import { bytesPerElement, type DType } from "../../base/dtype.js";
import { CapacityError } from "../../base/errors.js";
import { type HostTensor, sizeOf, zeros } from "../../base/host-tensor.js";

/** Zeros. @throws CapacityError when there is no such stretch of memory. */
export function cacheMemory(shape: readonly number[], dtype: DType = "float32"): HostTensor {
  try {
    return zeros(dtype, shape);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const bytes = sizeOf(shape) * bytesPerElement(dtype);
    throw new CapacityError(
      `KV cache: ${bytes} bytes for one layer's keys cannot be had; give a smaller contextLength, maxSequences or cacheBytes`,
      { cause: error },
    );
  }
}
