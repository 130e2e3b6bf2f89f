/** @file Element types as ONNX numbers them (TensorProto.DataType). */

import type { DType } from "../base/dtype.js";

export const onnxDType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const satisfies Record<DType, number>;
