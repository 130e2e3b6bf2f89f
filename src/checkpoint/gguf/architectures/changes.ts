/** @file Forms in which GGUF stores weights otherwise than Hugging Face. */

import { type HostTensor, hostTensor, sizeOf } from "../../../base/host-tensor.js";
import { halvesFromPairs, pairsFromHalves, type RowOrder, reorderRows, swappedRows, transposed } from "../../rows.js";
import type { Change, HfConfig } from "./architecture.js";
import { numberOf } from "./config-values.js";

function floats({ data }: HostTensor): Float32Array {
  return data as Float32Array;
}

function reordered(tensor: HostTensor, order: (rows: number) => RowOrder): HostTensor {
  const [rows = 1, ...rest] = tensor.shape;
  return hostTensor("float32", tensor.shape, reorderRows(floats(tensor), sizeOf(rest), order(rows)));
}

/** Query or key rows rotated in adjacent pairs, as llama.cpp does for the architecture `llama`. */
export function rotatedInPairs(headsOf: (config: HfConfig) => number): Change {
  return {
    toGguf: (tensor, config) => reordered(tensor, (rows) => pairsFromHalves(rows / headsOf(config))),
    fromGguf: (tensor, config) => reordered(tensor, (rows) => halvesFromPairs(rows / headsOf(config))),
  };
}

/** Rows [heads, 3, C] of GPT-NeoX's fused projection, which are [3, heads, C] in GGUF. */
export const fusedByPart: Change = {
  toGguf: (tensor, config) => {
    const heads = numberOf(config, "num_attention_heads");
    return reordered(tensor, (rows) => swappedRows(3, heads, rows / 3 / heads));
  },
  fromGguf: (tensor, config) => {
    const heads = numberOf(config, "num_attention_heads");
    return reordered(tensor, (rows) => swappedRows(heads, 3, rows / 3 / heads));
  },
};

/** GPT-2's [in, out] matrices; biases stay. */
export const transposedMatrix: Change = { transposes: true, toGguf: transposedTensor, fromGguf: transposedTensor };

function transposedTensor(tensor: HostTensor): HostTensor {
  const [rows, columns] = tensor.shape;
  if (rows === undefined || columns === undefined) return tensor;
  return hostTensor("float32", [columns, rows], transposed(floats(tensor), rows, columns));
}

/** Gemma multiplies by 1 + weight; GGUF stores the sum. */
export const plusOne: Change = {
  toGguf: (tensor) => shifted(tensor, 1),
  fromGguf: (tensor) => shifted(tensor, -1),
};

function shifted(tensor: HostTensor, by: number): HostTensor {
  return hostTensor(
    "float32",
    tensor.shape,
    floats(tensor).map((value) => value + by),
  );
}
