/** @file Embeddings of any number of texts and the way back, in micro-batches (GradCache, Gao et al. 2021, arXiv:2101.06983). */

import { DataError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { deriveSeed } from "../../base/rng.js";
import type { SavePolicy } from "../../graph/index.js";
import type { Encoder, Parameters, Pooling } from "../../nn/index.js";
import { encoderFeeds } from "../../plan/encoder.js";
import { COTANGENT, cotangentChain, EMBEDDINGS, StagePlan } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import { checkCounts } from "../gradient-loop.js";
import { fill, padRows } from "../stage-trainer.js";

export interface CachedGradientsOptions {
  /** Positions that are in memory at once: rows of a micro-batch times their padded length. Default 2048. */
  readonly microTokens?: number;
  /** Default: every parameter. */
  readonly isTrainable?: (name: string) => boolean;
  /** What is kept for the backward pass of a micro-batch. Default all. */
  readonly save?: SavePolicy;
}

export interface EmbeddingModel {
  readonly encoder: Encoder;
  readonly pooling: Pooling;
  readonly parameters: Parameters;
}

interface MicroBatch {
  readonly time: number;
  /** Places of the rows in the batch. */
  readonly places: readonly number[];
  readonly seed: number;
}

/** Shortest padded length. */
const SHORTEST = 8;

/**
 * Rows of like length make a micro-batch, padded to a power of two: one plan per length, and all add to the same gradients.
 * `embed` runs them forward and keeps nothing but their vectors; `backward` runs each forward again, with the same dropout,
 * and back from the gradients of its vectors. The sum is the gradient of the whole batch, in the memory of a micro-batch.
 */
export class CachedGradients {
  readonly gradients = new Map<string, HostTensor>();
  readonly #plans = new Map<number, StagePlan>();
  #rows: readonly ArrayLike<number>[] = [];
  #batches: readonly MicroBatch[] = [];
  /** What each plan's buffers hold. */
  readonly #held = new Map<StagePlan, MicroBatch>();

  private constructor(
    private readonly runtime: Runtime,
    private readonly encoder: Encoder,
    private readonly pooling: Pooling,
    private readonly parameters: Parameters,
    private readonly options: Required<CachedGradientsOptions>,
  ) {}

  /** @throws ConfigError when nothing is trainable or a number is out of range. */
  static async create(
    runtime: Runtime,
    { encoder, pooling, parameters }: EmbeddingModel,
    { microTokens = 2048, isTrainable = () => true, save = "all" }: CachedGradientsOptions = {},
  ): Promise<CachedGradients> {
    checkCounts({ microTokens });
    const made = new CachedGradients(runtime, encoder, pooling, parameters, { microTokens, isTrainable, save });
    // the buffers of the gradients are there before the first step, for whoever wants to know what is trained
    await made.#plan(SHORTEST);
    return made;
  }

  /** W: length of a vector. */
  get width(): number {
    return this.encoder.hiddenSize * this.pooling.modes.length;
  }

  /**
   * Vectors of token ids, one after the other.
   * @throws DataError for a row without ids or with more than the encoder takes.
   */
  async embed(rows: readonly ArrayLike<number>[], seed: number): Promise<Float32Array> {
    this.#rows = rows;
    this.#batches = this.#cut(rows, seed);
    const vectors = new Float32Array(rows.length * this.width);
    for (const batch of this.#batches) {
      const plan = await this.#forward(batch);
      const made = plan.values.get(EMBEDDINGS)!.data as Float32Array;
      for (const [i, place] of batch.places.entries()) {
        vectors.set(made.subarray(i * this.width, (i + 1) * this.width), place * this.width);
      }
    }
    return vectors;
  }

  /** Fills `gradients` from those of the vectors that `embed` gave last. */
  async backward(cotangents: Float32Array): Promise<void> {
    let accumulate = false;
    // the last ones first: what they computed is still there
    for (const batch of [...this.#batches].reverse()) {
      const known = await this.#plan(batch.time);
      const plan = this.#held.get(known) === batch ? known : await this.#forward(batch);
      const into = plan.feeds[COTANGENT]!.data as Float32Array;
      into.fill(0);
      for (const [i, place] of batch.places.entries()) {
        into.set(cotangents.subarray(place * this.width, (place + 1) * this.width), i * this.width);
      }
      await plan.backward({ accumulate });
      accumulate = true;
    }
    // an optimiser's step comes now, after which nothing of this holds
    this.#held.clear();
  }

  close(): void {
    for (const plan of this.#plans.values()) plan.close();
  }

  #cut(rows: readonly ArrayLike<number>[], seed: number): MicroBatch[] {
    const byTime = new Map<number, number[]>();
    for (const [place, { length }] of rows.entries()) {
      if (length === 0 || length > this.encoder.maxPositions) {
        throw new DataError(
          `contrastive training: text ${place} of the batch has ${length} tokens, expected 1 to ${this.encoder.maxPositions}`,
        );
      }
      const time = Math.min(this.encoder.maxPositions, Math.max(SHORTEST, 2 ** Math.ceil(Math.log2(length))));
      const places = byTime.get(time) ?? [];
      byTime.set(time, places);
      places.push(place);
    }
    const batches: MicroBatch[] = [];
    for (const [time, places] of [...byTime].sort(([a], [b]) => a - b)) {
      const size = this.#rowsOf(time);
      for (let at = 0; at < places.length; at += size) {
        const ofDropout = deriveSeed(seed, `micro-batch ${batches.length}`);
        batches.push({ time, places: places.slice(at, at + size), seed: ofDropout });
      }
    }
    return batches;
  }

  #rowsOf(time: number): number {
    return Math.max(1, Math.floor(this.options.microTokens / time));
  }

  async #plan(time: number): Promise<StagePlan> {
    const known = this.#plans.get(time);
    if (known) return known;
    const { isTrainable, save } = this.options;
    const shape = { batch: this.#rowsOf(time), time, mode: "train" } as const;
    const stages = cotangentChain(this.encoder, this.pooling, shape);
    const { gradients } = this;
    const plan = await StagePlan.create(this.runtime, stages, this.parameters, { isTrainable, save, gradients });
    this.#plans.set(time, plan);
    return plan;
  }

  async #forward(batch: MicroBatch): Promise<StagePlan> {
    const plan = await this.#plan(batch.time);
    const rows = batch.places.map((place) => this.#rows[place]!);
    const padToken = Number(this.encoder.config.pad_token_id ?? 0);
    // a plan has its number of rows; what is missing is one token each, from which no gradient comes
    const missing = Array.from({ length: this.#rowsOf(batch.time) - rows.length }, () => [padToken]);
    const padded = padRows([...rows, ...missing], batch.time, padToken);
    fill(plan.feeds, { ...encoderFeeds(this.encoder, padded), [COTANGENT]: plan.feeds[COTANGENT]! });
    await plan.forward({ seed: batch.seed });
    this.#held.set(plan, batch);
    return plan;
  }
}
