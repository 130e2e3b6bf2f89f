/** @file Native libraries through koffi, which is configured before the first of them is loaded and never after. */

import koffi, { type LibraryHandle } from "koffi";

/** The stack of an asynchronous call must hold ONNX Runtime's packing buffers; koffi's default of 128 kB does not. */
const STACK_BYTES = 8 * 2 ** 20;

/** A library by its path; null for what the process itself is linked with, the C library among it. */
export function loadLibrary(path: string | null): LibraryHandle {
  if (koffi.config().async_stack_size !== STACK_BYTES) {
    koffi.config({ async_stack_size: STACK_BYTES, sync_stack_size: STACK_BYTES });
  }
  return koffi.load(path);
}
