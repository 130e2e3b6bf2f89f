/** @file Runs the model on new tokens of sequences. */

import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import type { LanguageModel } from "../nn/index.js";
import type { Program } from "../runtime/index.js";
import type { CacheStep, KvCache } from "./cache/cache.js";
import type { PositionTables } from "./position-tables.js";
import type { Sequence } from "./sequence.js";
import type { Weights } from "./weights.js";

type Binding = ReturnType<Program["bind"]>;

/** What the model is fed and gives, whatever the cache is. */
interface Tensors {
  readonly x: HostTensor;
  readonly positions: HostTensor;
  readonly logits: HostTensor;
}

/** Bindings that are kept; a paged cache has one for each number of sequences and blocks. */
const MAX_KEPT = 64;

export class Runner {
  /**
   * Bindings of steps that repeat, the latest used last: making one takes up to a millisecond, a quarter of a small
   * model's token.
   */
  readonly #kept = new Map<string, Binding>();
  /** Tensors of decoding, by the number of sequences. */
  readonly #decoding = new Map<number, Tensors>();

  constructor(
    private readonly model: LanguageModel,
    private readonly weights: Weights,
    private readonly program: Program,
    private readonly cache: KvCache,
    private readonly tables: PositionTables,
  ) {}

  /** Computes the next `count` tokens of each sequence; several only where `count` is 1. Gives logits [V] of each one's last. */
  async run(batch: readonly Sequence[], count: number): Promise<Float32Array[]> {
    const cached = batch.map((sequence) => sequence.cached!);
    const step = this.cache.step(cached, count);
    const tensors = this.#tensors(batch.length, count);
    const ids = batch.map((sequence) => sequence.ids.slice(sequence.cached!.length, sequence.cached!.length + count));
    this.weights.embed(ids.flat(), tensors.x.data as Float32Array);
    for (const [i, sequence] of batch.entries()) {
      const first = sequence.cached!.nextPosition + this.tables.offsetOf(sequence.variant);
      for (let j = 0; j < count; j++) tensors.positions.data[i * count + j] = BigInt(first + j);
    }
    const binding = this.#binding(step, tensors);
    try {
      await binding.run();
    } finally {
      if (step.key === undefined) binding.release();
    }
    this.cache.commit(cached, ids, step);
    const logits = tensors.logits.data as Float32Array;
    const size = this.model.vocabSize;
    return batch.map((_, i) => logits.subarray(i * size, (i + 1) * size));
  }

  /** Frees what it keeps. */
  close(): void {
    for (const binding of this.#kept.values()) binding.release();
    this.#kept.clear();
  }

  #tensors(batch: number, count: number): Tensors {
    const known = count === 1 ? this.#decoding.get(batch) : undefined;
    if (known) return known;
    const tensors = {
      x: zeros("float32", [batch, count, this.model.hiddenSize]),
      positions: hostTensor("int64", [batch, count], new BigInt64Array(batch * count)),
      logits: zeros("float32", [batch, this.model.vocabSize]),
    };
    if (count === 1) this.#decoding.set(batch, tensors);
    return tensors;
  }

  #binding({ key, feeds, into }: CacheStep, { x, positions, logits }: Tensors): Binding {
    const known = key === undefined ? undefined : this.#kept.get(key);
    const binding = known ?? this.program.bind({ x, positions, ...this.tables.feeds, ...feeds }, { logits, ...into });
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
