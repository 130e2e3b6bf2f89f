/** @file Memory for keys and values. */

import { bytesPerElement } from "../../base/dtype.js";
import { CapacityError } from "../../base/errors.js";
import { type HostTensor, sizeOf, zeros } from "../../base/host-tensor.js";

/** Zeros. @throws CapacityError when there is no such stretch of memory. */
export function cacheMemory(shape: readonly number[]): HostTensor {
  try {
    return zeros("float32", shape);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const bytes = sizeOf(shape) * bytesPerElement("float32");
    throw new CapacityError(
      `KV cache: ${bytes} bytes for one layer's keys cannot be had; give a smaller contextLength, maxSequences or cacheBytes`,
      { cause: error },
    );
  }
}
