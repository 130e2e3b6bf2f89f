/** @file The types that GGUF's own keys have, for values that do not show it: 10000 is a float in `llama.rope.freq_base`. */

import { CheckpointError } from "../../base/errors.js";
import type { GgufValue, GgufValueType } from "./metadata.js";

/** Whole keys, from https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. */
const byKey: Readonly<Record<string, GgufValueType>> = {
  "tokenizer.ggml.tokens": "string[]",
  "tokenizer.ggml.merges": "string[]",
  "tokenizer.ggml.added_tokens": "string[]",
  "tokenizer.ggml.scores": "float32[]",
  "tokenizer.ggml.token_type": "int32[]",
  "tokenizer.ggml.precompiled_charsmap": "uint8[]",
  "general.tags": "string[]",
  "general.languages": "string[]",
};

/** Ends of keys that begin with an architecture. */
const floatEnds = [
  ".attention.layer_norm_epsilon",
  ".attention.layer_norm_rms_epsilon",
  ".attention.max_alibi_bias",
  ".attention.clamp_kqv",
  ".attention.scale",
  ".attn_logit_softcapping",
  ".final_logit_softcapping",
  ".logit_scale",
  ".embedding_scale",
  ".residual_scale",
  ".expert_weights_scale",
  ".rope.freq_base",
  ".rope.freq_base_swa",
  ".rope.scaling.factor",
  ".rope.scaling.attn_factor",
  ".rope.scaling.yarn_log_multiplier",
];

/**
 * The type to write a metadata value with: that of the format for its own keys; else boolean and text as they are, whole numbers as the
 * first of uint32, int32, uint64, int64 that holds them, other numbers as float32, arrays by all their items.
 * @throws CheckpointError when an array is empty or mixed, so that its type is not known.
 */
export function typeOfEntry(key: string, value: GgufValue): GgufValueType {
  const known = Object.hasOwn(byKey, key) ? byKey[key] : undefined;
  return known ?? (floatEnds.some((end) => key.endsWith(end)) ? "float32" : inferred(key, value));
}

function inferred(key: string, value: GgufValue): GgufValueType {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (typeof value === "object") return arrayType(key, value);
  return numberType([value]);
}

function arrayType(key: string, items: readonly GgufValue[]): GgufValueType {
  const isNumber = (item: GgufValue): item is number | bigint => typeof item === "number" || typeof item === "bigint";
  if (items.length > 0 && items.every(isNumber)) return `${numberType(items)}[]`;
  const kinds = new Set(items.map((item) => inferred(key, item)));
  const [kind] = kinds;
  if (kind !== undefined && kinds.size === 1 && !kind.endsWith("[][]")) return `${kind}[]` as GgufValueType;
  const found = kinds.size === 0 ? "it is empty" : `it holds ${[...kinds].join(", ")}`;
  throw new CheckpointError(
    `GGUF metadata ${JSON.stringify(key)}: the type of the array is not known, ${found}; pass it in types`,
  );
}

function numberType(values: readonly (number | bigint)[]): "uint32" | "int32" | "uint64" | "int64" | "float32" {
  if (!values.every((value) => typeof value === "bigint" || Number.isInteger(value))) return "float32";
  const within = (low: bigint, high: bigint): boolean => values.every((value) => value >= low && value < high);
  if (within(0n, 2n ** 32n)) return "uint32";
  if (within(-(2n ** 31n), 2n ** 31n)) return "int32";
  return within(0n, 2n ** 64n) ? "uint64" : "int64";
}
