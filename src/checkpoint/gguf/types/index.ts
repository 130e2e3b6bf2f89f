/** @file The storage types of GGUF tensors that are read, and those of them that are written. */

import { CheckpointError } from "../../../base/errors.js";
import type { GgmlType } from "../ggml-type.js";
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from "./blocks-of-32.js";
import { q2_k, q3_k, q4_k, q5_k, q6_k, q8_k } from "./k-quants.js";
import { bf16, f16, f32, f64, i8, i16, i32, i64 } from "./plain.js";

export const ggmlTypes = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  F64: f64,
  I8: i8,
  I16: i16,
  I32: i32,
  I64: i64,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
  Q8_K: q8_k,
} as const satisfies Record<string, GgmlType>;

export type GgmlTypeName = keyof typeof ggmlTypes;

/** Types that `writeGguf` packs. */
export type WritableGgmlType = "F32" | "F16" | "BF16" | "Q8_0" | "Q4_0";

/**
 * The type with this number.
 * @throws CheckpointError that lists those that are read.
 */
export function ggmlTypeOf(code: number, at: string): GgmlTypeName {
  const found = Object.entries(ggmlTypes).find(([, type]) => type.code === code);
  if (found) return found[0] as GgmlTypeName;
  throw new CheckpointError(
    `${at}: expected a tensor of type ${Object.keys(ggmlTypes).join(", ")}, found type number ${code}; quantise the model to one of these`,
  );
}
