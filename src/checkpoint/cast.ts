/** @file Tensors in another floating-point type, made when they are read and not kept. */

import { allocate, isFloat, toBFloat16, toFloat16 } from "../base/dtype.js";
import { asFloat32, type HostTensor } from "../base/host-tensor.js";

export type CastType = "float32" | "float16" | "bfloat16";

/**
 * The same tensors with floats as `dtype`, rounded to nearest even (float16 overflows to infinity). Other types and those that have it
 * already pass as they are.
 */
export function* castFloats(
  entries: Iterable<readonly [string, HostTensor]>,
  dtype: CastType,
): Generator<readonly [string, HostTensor]> {
  for (const [name, tensor] of entries) yield [name, cast(tensor, dtype)];
}

function cast(tensor: HostTensor, dtype: CastType): HostTensor {
  if (tensor.dtype === dtype || !isFloat(tensor.dtype)) return tensor;
  return {
    dtype,
    shape: tensor.shape,
    get data() {
      const values = asFloat32(tensor);
      if (dtype === "float32") return values;
      const convert = dtype === "float16" ? toFloat16 : toBFloat16;
      const out = allocate(dtype, values.length);
      for (let i = 0; i < values.length; i++) out[i] = convert(values[i]!);
      return out;
    },
  };
}
