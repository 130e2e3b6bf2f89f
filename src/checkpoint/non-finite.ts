/** @file Looking for NaN and infinity in weights: they are valid numbers in a file, and fatal in a model. */

import type { HostTensor } from "../base/host-tensor.js";

/** Where a value is that is not finite. */
export interface NonFinite {
  readonly tensor: string;
  /** Index of the element, row-major. */
  readonly index: number;
  readonly value: number;
}

/** Anything that reads named tensors as float32: safetensors, a model folder, a GGUF file. */
export interface Float32Source {
  readonly tensors: ReadonlyMap<string, unknown>;
  readFloat32(name: string): Promise<HostTensor>;
}

/** The first NaN or infinity, in the order of the tensors, of which one is in memory at a time; `undefined` when all values are finite. */
export async function findNonFinite(source: Float32Source): Promise<NonFinite | undefined> {
  for (const tensor of source.tensors.keys()) {
    const found = nonFiniteIn(await source.readFloat32(tensor));
    if (found) return { tensor, ...found };
  }
  return undefined;
}

/** The first value of a float32 or float64 tensor that is not finite; other types are not looked at. */
export function nonFiniteIn({ data }: HostTensor): Omit<NonFinite, "tensor"> | undefined {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return undefined;
  for (let index = 0; index < data.length; index++) {
    if (!Number.isFinite(data[index])) return { index, value: data[index]! };
  }
  return undefined;
}
