/** @file Types of GGUF tensors whose blocks are single numbers: F32, F16, BF16, F64 and the integers. */

import { toBFloat16, toFloat16 } from "../../../base/dtype.js";
import { convertToFloat32, type StoredType, storedElementBytes } from "../../float32.js";
import { dataView, type GgmlType } from "../ggml-type.js";

function plain(name: string, code: number, dtype: StoredType, quantize?: GgmlType["quantize"]): GgmlType {
  const blockBytes = storedElementBytes(dtype);
  return {
    name,
    code,
    blockSize: 1,
    blockBytes,
    dequantize(bytes, target) {
      // typed arrays need an offset that is a multiple of the element size
      const aligned = bytes.byteOffset % blockBytes === 0 ? bytes : bytes.slice();
      convertToFloat32(dtype, aligned, target);
    },
    ...(quantize && { quantize }),
  };
}

function pack16(convert: (value: number) => number): NonNullable<GgmlType["quantize"]> {
  return (values, target) => {
    const view = dataView(target);
    for (let i = 0; i < values.length; i++) view.setUint16(2 * i, convert(values[i]!), true);
  };
}

export const f32 = plain("F32", 0, "float32", (values, target) =>
  target.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
);
export const f16 = plain("F16", 1, "float16", pack16(toFloat16));
export const bf16 = plain("BF16", 30, "bfloat16", pack16(toBFloat16));
export const f64 = plain("F64", 28, "float64");
export const i8 = plain("I8", 24, "int8");
export const i16 = plain("I16", 25, "int16");
export const i32 = plain("I32", 26, "int32");
export const i64 = plain("I64", 27, "int64");
