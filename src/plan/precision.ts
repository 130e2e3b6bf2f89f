/** @file Hidden states and residuals in half the bytes while they lie between programs; inside of programs all is float32. */

import type { DType } from "../base/dtype.js";
import { type Aval, cast, type Graph, graph, inline, type Tensor } from "../graph/index.js";

/**
 * Types in which what lies between the programs of a training step may be kept: hidden states, gradients by them, and what
 * forward passes keep for backward passes. float16 has 11 bits and ends at 65,504; bfloat16 has 8 bits and float32's range.
 */
export const precisions = ["float32", "float16", "bfloat16"] as const;

export type Precision = (typeof precisions)[number];

/** Whether an input or output of a layer's graphs or of the head's is a hidden state, a gradient by one, or a residual. */
const isBetweenPrograms = (name: string): boolean => /^(d_|whole\.)?[xy]$|^residual\./.test(name);

/** The graph over values that lie in memory as `dtype`: cast up where it reads them, rounded where it writes them. */
export function storedAs(source: Graph, dtype: DType): Graph {
  if (dtype === "float32") return source;
  const isStored = (name: string, aval: Aval): boolean => aval.dtype === "float32" && isBetweenPrograms(name);
  const inputs = mapEntries(
    source.inputs,
    (tensor, name): Aval => (isStored(name, tensor) ? { dtype, shape: tensor.shape } : tensor),
  );
  return graph(source.name, inputs, (tensors) => {
    const outputs = inline(
      source,
      mapEntries(tensors, (tensor, name) => cast(tensor, source.inputs[name]!.dtype)),
    );
    return mapEntries(outputs, (tensor, name): Tensor => (isStored(name, tensor) ? cast(tensor, dtype) : tensor));
  });
}

function mapEntries<T, U>(
  values: Readonly<Record<string, T>>,
  change: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}
