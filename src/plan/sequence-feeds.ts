/** @file Batches of token sequences in the buffers that programs read. */

import { toBFloat16, toFloat16 } from "../base/dtype.js";
import { ConfigError } from "../base/errors.js";
import { asFloat32, type HostTensor, hostTensor, rows, zeros } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import { checkLength, type LanguageModel } from "../nn/index.js";
import type { Feeds } from "../runtime/index.js";
import { type SequenceShape, tableFeeds } from "./layer-graph.js";
import { SELECTED } from "./selected-layer.js";

/** Token ids with what is to be predicted from them, [B · T] each. */
export interface MicroBatch {
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  /** Weight of each position in the loss; 0 leaves it out. */
  readonly weights: Float32Array;
  /** Position within its document. */
  readonly positions: Int32Array;
  /** Which document of its row a position belongs to; read where the plan is packed. */
  readonly segments?: Int32Array;
  /** Seed of the dropout masks. Default 0. */
  readonly seed?: number;
  /**
   * Where a plan selects tokens: the rows of [B · T] that are differentiated and counted in the loss, as many of each
   * sequence, in ascending order. Weights of others are not read.
   */
  readonly selected?: Int32Array;
}

/** Buffers for what every layer and the head read of a batch. */
export class SequenceFeeds {
  readonly #labels: HostTensor;
  readonly #weights: HostTensor;
  readonly #positions: HostTensor;
  readonly #segments: HostTensor | undefined;
  readonly #seeds: readonly HostTensor[];
  readonly #selected: HostTensor | undefined;
  readonly #tables: Feeds;

  /**
   * `selected`: how many positions of each sequence are differentiated, where not all are.
   * @throws CapacityError when the model cannot compute sequences of this length.
   */
  constructor(model: LanguageModel, { batchSize, time, packed }: SequenceShape, selected?: number) {
    checkLength(model, time);
    const count = batchSize * (selected ?? time);
    this.#labels = zeros("int64", [count]);
    this.#weights = zeros("float32", [count]);
    this.#selected = selected === undefined ? undefined : zeros("int64", [batchSize, selected]);
    this.#positions = zeros("int64", [batchSize, time]);
    this.#segments = packed ? zeros("int64", [batchSize, time]) : undefined;
    this.#seeds = model.layers.map(() => zeros("int32", []));
    this.#tables = tableFeeds(model, time);
  }

  /** Feeds of a layer's graph besides hidden states and parameters. */
  ofLayer(index: number): Feeds {
    return {
      positions: this.#positions,
      ...(this.#segments && { segments: this.#segments }),
      seed: this.#seeds[index]!,
      ...(this.#selected && { [SELECTED]: this.#selected }),
      ...this.#tables,
    };
  }

  /** @throws ConfigError when the batch selects as many tokens as the plan was not made for. */
  set({ labels, weights, positions, segments, selected, seed = 0 }: MicroBatch): void {
    const numSelected = this.#selected?.data.length;
    if (selected?.length !== numSelected) {
      throw new ConfigError(
        `the plan was made for ${numSelected ?? "no"} selected tokens, the batch has ${selected?.length ?? "none"}`,
      );
    }
    if (selected) copyInts(selected, this.#selected!);
    copyInts(selected ? selected.map((row) => labels[row]!) : labels, this.#labels);
    (this.#weights.data as Float32Array).set(selected ? Array.from(selected, (row) => weights[row]!) : weights);
    copyInts(positions, this.#positions);
    if (this.#segments) copyInts(segments!, this.#segments);
    for (const [i, tensor] of this.#seeds.entries()) tensor.data[0] = deriveSeed(seed, `layer ${i}`) | 0;
  }

  /** Labels and weights of some rows. */
  tile(start: number, end: number): { readonly labels: HostTensor; readonly weights: HostTensor } {
    return { labels: rows(this.#labels, start, end), weights: rows(this.#weights, start, end) };
  }
}

/** Rows of [B, T, D] as [rows, D], a view. */
export function flatRows(x: HostTensor, start: number, end: number): HostTensor {
  const [batch, time, width] = x.shape as [number, number, number];
  return rows(hostTensor(x.dtype, [batch * time, width], x.data), start, end);
}

function copyInts(from: Int32Array, to: HostTensor): void {
  const data = to.data as BigInt64Array;
  for (let i = 0; i < from.length; i++) data[i] = BigInt(from[i]!);
}

/** Embeddings of token ids as the model reads them: out[i] = table[ids[i]], out [B, T, D] of any float type. */
export function lookUp({ embeddingReading }: LanguageModel, table: HostTensor, ids: Int32Array, out: HostTensor): void {
  const width = table.shape[1]!;
  const from = table.data as Float32Array;
  const scratch = new Float32Array(width);
  const halves = out.dtype === "float16" ? toFloat16 : toBFloat16;
  for (let i = 0; i < ids.length; i++) {
    const to = out.data.subarray(i * width, (i + 1) * width);
    const row = to instanceof Float32Array ? to : scratch;
    row.set(from.subarray(ids[i]! * width, (ids[i]! + 1) * width));
    embeddingReading?.host({ dtype: "float32", shape: [1, width], data: row });
    if (row !== to) for (let j = 0; j < width; j++) to[j] = halves(row[j]!);
  }
}

/** out[i] = from[places[i]], both of one type. */
export function gatherRows(from: HostTensor, places: Int32Array, out: HostTensor): void {
  const width = from.shape[1]!;
  const [source, target] = [from.data as Float32Array, out.data as Float32Array];
  for (let i = 0; i < places.length; i++)
    target.set(source.subarray(places[i]! * width, (places[i]! + 1) * width), i * width);
}

/** table[ids[i]] += gradient[i]: a loop, since it touches T rows where a program would write all V. */
export function scatterRows(gradient: HostTensor, ids: Int32Array, table: HostTensor): void {
  const width = table.shape[1]!;
  const [from, to] = [asFloat32(gradient), table.data as Float32Array];
  for (let i = 0; i < ids.length; i++) {
    const [source, target] = [i * width, ids[i]! * width];
    for (let j = 0; j < width; j++) to[target + j]! += from[source + j]!;
  }
}
