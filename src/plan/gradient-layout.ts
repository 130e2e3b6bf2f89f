/** @file Where streamed gradients lie: all in one stretch of memory, which those that are alive at different times share. */

import { type HostTensor, hostTensor, sizeOf } from "../base/host-tensor.js";
import { parameterSpecs } from "../nn/index.js";
import type { Runtime } from "../runtime/index.js";
import type { TrainDescription } from "./describe.js";

export interface GradientLayout {
  /** Elements of the stretch. */
  readonly length: number;
  /** First element and shape of each gradient, by parameter name. */
  readonly places: ReadonlyMap<string, { readonly start: number; readonly shape: readonly number[] }>;
}

/** Gradients begin at multiples of so many elements: a cache line. */
const ALIGNMENT = 16;

/**
 * The head's gradients, then each layer's, then the embedding's take the same memory in turns; a tied embedding holds the
 * head's part while the layers go by, so it lies apart. The length is that of one layer or of the largest tensor.
 */
export function gradientLayout({ model, options, layers, headTrainable }: TrainDescription): GradientLayout {
  const shapes = new Map(parameterSpecs(model).map(({ name, shape }) => [name, shape]));
  const places = new Map<string, { start: number; shape: readonly number[] }>();
  /** Lays gradients end to end; the element after the last. */
  const lay = (names: readonly string[], from: number): number => {
    let start = from;
    for (const name of names) {
      const shape = shapes.get(name)!;
      places.set(name, { start, shape });
      start += Math.ceil(sizeOf(shape) / ALIGNMENT) * ALIGNMENT;
    }
    return start;
  };
  const embedding = options.isTrainable(model.embedding.name) ? [model.embedding.name] : [];
  const isTied = headTrainable.includes(model.embedding.name);
  const turns = [
    headTrainable.filter((name) => !embedding.includes(name)),
    ...model.layers.map(({ prefix }, i) => layers[i]!.trainable.map((name) => prefix + name)),
    ...(isTied ? [] : [embedding]),
  ];
  const shared = Math.max(...turns.map((names) => lay(names, 0)));
  return { length: isTied ? lay(embedding, shared) : shared, places };
}

/** Buffers at the places of a layout, by parameter name. */
export function allocateGradients(runtime: Runtime, { length, places }: GradientLayout): Map<string, HostTensor> {
  const all = runtime.zeros("float32", [length]).data as Float32Array;
  const at = ({ start, shape }: { readonly start: number; readonly shape: readonly number[] }): HostTensor =>
    hostTensor("float32", shape, all.subarray(start, start + sizeOf(shape)));
  return new Map([...places].map(([name, place]) => [name, at(place)]));
}
