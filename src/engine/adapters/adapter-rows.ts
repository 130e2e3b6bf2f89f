/** @file Adapters of a batch whose sequences have different ones: a copy for each row, where the kernel reads it. */

import { assert, CapacityError } from "../../base/errors.js";
import { type HostTensor, rows, zeros } from "../../base/host-tensor.js";
import type { Feeds } from "../../runtime/index.js";
import type { EngineAdapter } from "./adapter.js";

/** What a run is fed; equal keys mean the same tensors. */
export interface AdapterFeeds {
  readonly feeds: Feeds;
  readonly key: string;
  /** A key that will not come again. */
  readonly replaces?: string;
}

/**
 * Adapters lie in memory as they were registered, however many there are; those that run have copies in rows, swapped when
 * a row gets another sequence (S-LoRA, Sheng et al. 2023, arXiv:2311.03285, section 5, with rows in place of its pool).
 */
export class AdapterRows {
  /** [rows, r, width] by name of the input. */
  #buffers: ReadonlyMap<string, HostTensor> = new Map();
  /** Serial of the adapter in each row; -1 where that is not known. */
  #serials: number[] = [];
  #generation = 0;
  readonly #views = new Map<number, Feeds>();

  /** What a batch is fed, an adapter for each row. */
  feedsOf(batch: readonly EngineAdapter[]): AdapterFeeds {
    const before = this.#generation;
    const isOther = ({ serial }: EngineAdapter, row: number): boolean => this.#serials[row] !== serial;
    if (batch.length > this.#serials.length || !batch.filter(isOther).every((adapter) => this.#fits(adapter)))
      this.#grow(batch);
    for (const [row, adapter] of batch.entries()) if (isOther(adapter, row)) this.#place(row, adapter);
    const replaces = before > 0 && before < this.#generation && { replaces: `rows ${before}` };
    return { feeds: this.#viewOf(batch.length), key: `rows ${this.#generation}`, ...replaces };
  }

  #fits({ feeds }: EngineAdapter): boolean {
    return Object.entries(feeds).every(([name, { shape }]) => shape[1]! <= this.#buffers.get(name)!.shape[1]!);
  }

  /** Rows for more sequences, or of a larger rank. */
  #grow(batch: readonly EngineAdapter[]): void {
    const count = Math.max(this.#serials.length, 2 ** Math.ceil(Math.log2(batch.length)));
    const shapes = Object.entries(batch[0]!.feeds).map(([name, { shape }]) => {
      const ranks = batch.map(({ feeds }) => feeds[name]!.shape[1]!);
      return [name, [count, Math.max(this.#buffers.get(name)?.shape[1] ?? 1, ...ranks), shape[2]!]] as const;
    });
    try {
      this.#buffers = new Map(shapes.map(([name, shape]) => [name, zeros("float32", shape)]));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CapacityError(
        `adapters: memory for ${count} of them at once cannot be had; run fewer requests at once, or adapters of a smaller rank`,
        { cause: error },
      );
    }
    this.#serials = new Array<number>(count).fill(-1);
    this.#generation++;
    this.#views.clear();
  }

  #place(row: number, { serial, feeds }: EngineAdapter): void {
    for (const [name, { shape, data }] of this.#buffers) {
      const source = feeds[name];
      assert(source, "an adapter has a tensor for every input");
      const size = shape[1]! * shape[2]!;
      const target = (data as Float32Array).subarray(row * size, (row + 1) * size);
      target.set(source.data as Float32Array);
      target.fill(0, source.data.length);
    }
    this.#serials[row] = serial;
  }

  #viewOf(count: number): Feeds {
    const known = this.#views.get(count);
    if (known) return known;
    const views = Object.fromEntries([...this.#buffers].map(([name, tensor]) => [name, rows(tensor, 0, count)]));
    this.#views.set(count, views);
    return views;
  }
}
