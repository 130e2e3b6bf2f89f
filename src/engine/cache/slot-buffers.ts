/** @file The memory behind slots: keys and values of every layer, a stretch of rows per slot. */

import { type HostTensor, rows } from "../../base/host-tensor.js";
import type { CacheSpec, LanguageModel } from "../../nn/index.js";
import { cacheMemory } from "./cache-memory.js";
import { paddedHeadDim } from "./kernel-attention.js";

/** Which rows of a layer stay: all, or the first `sinks` and at least the last `recent`. */
export interface Retention {
  /** Layers that keep the same rows. "" where all stay. */
  readonly group: string;
  readonly sinks: number;
  readonly recent: number;
  /** Rows of one slot. */
  readonly capacity: number;
}

/** Keys or values of one layer: [slots, G, M, C]. */
export interface LayerBuffer {
  readonly name: string;
  readonly layer: number;
  readonly tensor: HostTensor;
  readonly retention: Retention;
  readonly numKvHeads: number;
  /** Elements of a row. */
  readonly width: number;
}

/** Rows of one head in one slot. */
export interface RowRange {
  readonly slot: number;
  readonly head: number;
  readonly start: number;
  readonly end: number;
}

/** Bytes of one slot. */
export function slotBytes(model: LanguageModel, retain: (spec: CacheSpec) => Retention): number {
  return model.caches.reduce((sum, spec) => {
    if (!spec) return sum;
    return sum + 8 * spec.numKvHeads * retain(spec).capacity * paddedHeadDim(spec.headDim);
  }, 0);
}

export class SlotBuffers {
  readonly layers: readonly LayerBuffer[];

  constructor(model: LanguageModel, retain: (spec: CacheSpec) => Retention, numSlots: number) {
    this.layers = model.caches.flatMap((spec, layer) => {
      if (!spec) return [];
      const [retention, width] = [retain(spec), paddedHeadDim(spec.headDim)];
      return ["keys", "values"].map((name) => ({
        name: `${name}.${layer}`,
        layer,
        tensor: cacheMemory([numSlots, spec.numKvHeads, retention.capacity, width]),
        retention,
        numKvHeads: spec.numKvHeads,
        width,
      }));
    });
  }

  /** Slots `first` to `first + count` of every buffer, by the name of its input. */
  views(first: number, count: number): Record<string, HostTensor> {
    return Object.fromEntries(this.layers.map(({ name, tensor }) => [name, rows(tensor, first, first + count)]));
  }

  /** Copies the first rows of a slot to another: as many as `count` says for the group. */
  copy(from: number, to: number, count: (group: string) => number): void {
    for (const buffer of this.layers) {
      const length = count(buffer.retention.group) * buffer.width;
      for (let head = 0; head < buffer.numKvHeads; head++) {
        const [source, target] = [this.#headAt(buffer, from, head), this.#headAt(buffer, to, head)];
        buffer.tensor.data.copyWithin(target, source, source + length);
      }
    }
  }

  /** Exchanges the first rows of two slots. */
  swap(a: number, b: number, count: (group: string) => number): void {
    for (const buffer of this.layers) {
      const { data } = buffer.tensor;
      const length = count(buffer.retention.group) * buffer.width;
      for (let head = 0; head < buffer.numKvHeads; head++) {
        const [atA, atB] = [this.#headAt(buffer, a, head), this.#headAt(buffer, b, head)];
        const kept = (data as Float32Array).slice(atA, atA + length);
        data.copyWithin(atA, atB, atB + length);
        (data as Float32Array).set(kept, atB);
      }
    }
  }

  /** Moves rows `start` to `end` of a slot to row `to`, in the layers of a group. */
  shift(slot: number, group: string, start: number, end: number, to: number): void {
    for (const buffer of this.layers) {
      if (buffer.retention.group !== group) continue;
      for (let head = 0; head < buffer.numKvHeads; head++) {
        const at = this.#headAt(buffer, slot, head);
        const { width } = buffer;
        buffer.tensor.data.copyWithin(at + to * width, at + start * width, at + end * width);
      }
    }
  }

  /** Rows `start` to `end` of a head, as a view. */
  rowsOf(buffer: LayerBuffer, { slot, head, start, end }: RowRange): Float32Array {
    const at = this.#headAt(buffer, slot, head);
    return (buffer.tensor.data as Float32Array).subarray(at + start * buffer.width, at + end * buffer.width);
  }

  #headAt({ numKvHeads, retention, width }: LayerBuffer, slot: number, head: number): number {
    return (slot * numKvHeads + head) * retention.capacity * width;
  }
}
