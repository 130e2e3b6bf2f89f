/** @file Runs the model on new tokens of sequences. */

import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import type { LanguageModel } from "../nn/index.js";
import type { Feeds, Program } from "../runtime/index.js";
import type { EngineAdapter } from "./adapters/adapter.js";
import type { Adapters } from "./adapters/adapters.js";
import { type CachedSequence, type CacheStep, type KvCache, MAX_REPEATED } from "./cache/cache.js";
import type { StepWeights } from "./live-weights.js";
import type { PositionTables } from "./position-tables.js";

type Binding = ReturnType<Program["bind"]>;

/** A sequence that runs. */
export interface Running {
  /** Its place in the cache. */
  readonly cached: CachedSequence | undefined;
  /** Tables that its positions are looked up in. */
  readonly variant: number;
  /** Absent for one without an adapter. */
  readonly adapter?: EngineAdapter | undefined;
  /** The `count` ids after those in the cache. */
  upcoming(count: number): readonly number[];
}

/** What the model is fed and gives, whatever the cache is. */
interface Tensors {
  readonly x: HostTensor;
  readonly positions: HostTensor;
  readonly rows: HostTensor;
  readonly logits: HostTensor;
}

/** Bindings that are kept; a paged cache has one for each number of sequences and blocks. */
const MAX_KEPT = 128;

export class Runner {
  /**
   * Bindings of steps that repeat, the latest used last: making one takes up to a millisecond, a quarter of a small
   * model's token.
   */
  readonly #kept = new Map<string, Binding>();
  /** Tensors of short runs, by their size. */
  readonly #repeated = new Map<string, Tensors>();

  constructor(
    private readonly model: LanguageModel,
    private readonly weights: StepWeights,
    private readonly program: Program,
    private readonly cache: KvCache,
    private readonly tables: PositionTables,
    private readonly adapters?: Adapters,
  ) {}

  /**
   * Computes the next `count` tokens of each sequence; several only where `count` is 1. Gives logits [V] of the last
   * `numLogits` tokens of each, which stay until the next run.
   */
  async run(batch: readonly Running[], count: number, numLogits = 1): Promise<Float32Array[]> {
    const cached = batch.map((sequence) => sequence.cached!);
    const step = this.cache.step(cached, count);
    const size = `${batch.length}x${count}x${numLogits}`;
    const tensors = this.#tensors(size, batch.length, count, numLogits);
    const ids = batch.map((sequence) => sequence.upcoming(count));
    this.weights.embed(ids.flat(), tensors.x.data as Float32Array);
    for (const [i, sequence] of batch.entries()) {
      const first = sequence.cached!.nextPosition + this.tables.offsetOf(sequence.variant);
      for (let j = 0; j < count; j++) tensors.positions.data[i * count + j] = BigInt(first + j);
    }
    const adapted = this.adapters?.feedsOf(batch.map(({ adapter }) => adapter));
    if (adapted?.replaces !== undefined) this.forget(adapted.replaces);
    const key = step.key === undefined ? undefined : `${size}/${step.key} ${adapted?.key}`;
    const binding = this.#binding(key, step, tensors, adapted?.feeds);
    try {
      await binding.run();
    } finally {
      if (key === undefined) binding.release();
    }
    this.cache.commit(cached, ids, step);
    const logits = tensors.logits.data as Float32Array;
    const width = this.model.vocabSize;
    return Array.from({ length: batch.length * numLogits }, (_, i) => logits.subarray(i * width, (i + 1) * width));
  }

  /** Frees what it keeps of runs over an adapter's feeds. None may be in flight with them. */
  forget(adapterKey: string): void {
    for (const [key, binding] of this.#kept) {
      if (!key.endsWith(` ${adapterKey}`)) continue;
      this.#kept.delete(key);
      binding.release();
    }
  }

  /** Frees what it keeps. */
  close(): void {
    for (const binding of this.#kept.values()) binding.release();
    this.#kept.clear();
  }

  #tensors(size: string, batch: number, count: number, numLogits: number): Tensors {
    const known = this.#repeated.get(size);
    if (known) return known;
    // the last ones of each sequence
    const rows = Array.from({ length: batch * numLogits }, (_, i) => {
      return BigInt(Math.floor(i / numLogits) * count + count - numLogits + (i % numLogits));
    });
    const tensors = {
      x: zeros("float32", [batch, count, this.model.hiddenSize]),
      positions: hostTensor("int64", [batch, count], new BigInt64Array(batch * count)),
      rows: hostTensor("int64", [rows.length], BigInt64Array.from(rows)),
      logits: zeros("float32", [rows.length, this.model.vocabSize]),
    };
    if (count <= MAX_REPEATED) this.#repeated.set(size, tensors);
    return tensors;
  }

  #binding(
    key: string | undefined,
    { feeds, into }: CacheStep,
    { logits, ...own }: Tensors,
    adapters: Feeds | undefined,
  ): Binding {
    const known = key === undefined ? undefined : this.#kept.get(key);
    const fed = (): Feeds => ({ ...own, ...this.weights.feeds, ...this.tables.feeds, ...adapters, ...feeds });
    const binding = known ?? this.program.bind(fed(), { logits, ...into });
    if (key === undefined) return binding;
    this.#kept.delete(key);
    this.#kept.set(key, binding);
    if (this.#kept.size > MAX_KEPT) this.#forgetOldest();
    return binding;
  }

  #forgetOldest(): void {
    const [oldest] = this.#kept;
    const [key, binding] = oldest!;
    this.#kept.delete(key);
    binding.release();
  }
}
