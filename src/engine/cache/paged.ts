/** @file Keys and values in blocks of a few tokens: no memory for what is not there yet, and equal starts held once. */

import { CapacityError, ConfigError } from "../../base/errors.js";
import { byteSize, type HostTensor, hostTensor, zeros } from "../../base/host-tensor.js";
import type { LanguageModel } from "../../nn/index.js";
import type { Feeds } from "../../runtime/index.js";
import type { CachedAttention } from "../step-graph.js";
import { type Block, BlockPool } from "./block-pool.js";
import {
  type CacheOptions,
  type CachePolicy,
  type CacheStep,
  type CacheUsage,
  type KvCache,
  MAX_REPEATED,
  type OpenOptions,
} from "./cache.js";
import { cacheMemory } from "./cache-memory.js";
import { paddedHeadDim } from "./kernel-attention.js";
import { pagedAttention } from "./paged-attention.js";
import { PagedSequence } from "./paged-sequence.js";
import { float32Rows, type RowFormat, type RowPart } from "./row-format.js";

/** Keys or values of one layer. */
interface LayerPool {
  readonly kind: "Keys" | "Values";
  readonly layer: number;
  /** `<kind>.<layer>` */
  readonly name: string;
  readonly numKvHeads: number;
  /** Elements of a row. */
  readonly width: number;
  /** For each part of the format [blocks · G, blockTokens · size]. */
  readonly parts: readonly (RowPart & { readonly tensor: HostTensor })[];
}

interface StepTensors {
  readonly last: HostTensor;
  readonly total: HostTensor;
  readonly fresh: Feeds;
}

/** Tensors that depend on how many blocks the sequences have. */
interface BlockTensors {
  /** Tables [B, G, K] by G. */
  readonly tables: ReadonlyMap<number, HostTensor>;
  /** Where each layer's rows are gathered, which is the same memory for all. */
  readonly gathered: Feeds;
}

/** Sequences in blocks of a pool; what a row is in memory, a format says. */
export class PagedCache implements KvCache {
  readonly attention: CachedAttention;
  readonly maxTokens: number;
  readonly numPositions: number;
  readonly #pool: BlockPool;
  readonly #layers: readonly LayerPool[];
  readonly #bytesPerBlock: number;
  readonly #headCounts: ReadonlySet<number>;
  readonly #pools: Feeds;
  readonly #gathered = { Keys: new Float32Array(0), Values: new Float32Array(0) };
  readonly #repeated = new Map<string, StepTensors>();
  readonly #bySize = new Map<string, BlockTensors>();

  constructor(
    model: LanguageModel,
    { contextLength, maxSequences, cacheBytes }: CacheOptions,
    readonly blockTokens: number,
    readonly format: RowFormat,
  ) {
    const specs = model.caches.flatMap((spec, layer) =>
      spec ? [{ layer, numKvHeads: spec.numKvHeads, width: paddedHeadDim(spec.headDim) }] : [],
    );
    this.#bytesPerBlock = specs.reduce((sum, { numKvHeads, width }) => {
      const rowBytes = format.parts(width).reduce((bytes, { dtype, size }) => bytes + byteSize(dtype, [size]), 0);
      return sum + 2 * numKvHeads * blockTokens * rowBytes;
    }, 0);
    const perSequence = Math.ceil(contextLength / blockTokens);
    const numBlocks =
      cacheBytes === undefined ? maxSequences * perSequence : Math.floor(cacheBytes / this.#bytesPerBlock);
    if (numBlocks < perSequence) {
      throw new CapacityError(
        `KV cache: one sequence of ${contextLength} tokens takes ${perSequence * this.#bytesPerBlock} bytes, but cacheBytes is ${cacheBytes}; give more, or a smaller contextLength`,
      );
    }
    this.maxTokens = contextLength;
    this.numPositions = contextLength;
    this.#pool = new BlockPool(numBlocks, blockTokens);
    this.#headCounts = new Set(specs.map(({ numKvHeads }) => numKvHeads));
    this.#layers = specs.flatMap(({ layer, numKvHeads, width }) =>
      (["Keys", "Values"] as const).map((kind) => ({
        kind,
        layer,
        name: `${kind}.${layer}`,
        numKvHeads,
        width,
        parts: format.parts(width).map((part) => ({
          ...part,
          tensor: cacheMemory([numBlocks * numKvHeads, blockTokens * part.size], part.dtype),
        })),
      })),
    );
    this.#pools = Object.fromEntries(
      this.#layers.flatMap(({ kind, layer, parts }) =>
        parts.map(({ suffix, tensor }) => [`pool${kind}${suffix}.${layer}`, tensor]),
      ),
    );
    this.attention = pagedAttention(model, blockTokens, format);
  }

  open(text: readonly number[], { variant, reserveTokens }: OpenOptions): PagedSequence | undefined {
    const root = -1 - variant;
    const found = this.#pool.match(text, text.length - 1, root);
    const { blocks, count } = found;
    const needed = Math.ceil((text.length + reserveTokens) / this.blockTokens) - blocks.length;
    const last = count % this.blockTokens === 0 ? undefined : blocks.at(-1);
    const isCopied = last !== undefined && last.numHolders > 0;
    if (needed + Number(isCopied) > this.#pool.available - this.#pool.countIdle(blocks)) return undefined;
    return new PagedSequence(this.#pool, root, found, (from, to, rows) => this.#copyRows(from, to, rows));
  }

  step(batch: readonly PagedSequence[], count: number): CacheStep {
    const ends = batch.map(({ length }) => length + count);
    const total = Math.max(...ends);
    const tensors = this.#tensors(batch.length, count);
    (tensors.last.data as Int32Array).set(ends.map((end) => end - 1));
    tensors.total.data[0] = total;
    const numBlocks = Math.ceil(total / this.blockTokens);
    const { tables, gathered } = this.#blockTensors(batch.length, numBlocks);
    for (const table of tables.values()) this.#list(batch, table);
    const named = [...tables].map(([heads, table]) => [`blocks.${heads}`, table] as const);
    return {
      feeds: { ...this.#pools, last: tensors.last, total: tensors.total, ...Object.fromEntries(named) },
      into: { ...tensors.fresh, ...gathered },
      ...(count <= MAX_REPEATED && { key: `${batch.length}x${count}x${numBlocks}` }),
    };
  }

  commit(batch: readonly PagedSequence[], ids: readonly (readonly number[])[], { into }: CacheStep): void {
    for (const layer of this.#layers) {
      const fresh = into[`new${layer.name}`]!.data as Float32Array;
      let row = 0;
      for (const [i, sequence] of batch.entries()) {
        for (let j = 0; j < ids[i]!.length; j++) this.#store(layer, fresh, row++, sequence, sequence.length + j);
      }
    }
    for (const [i, sequence] of batch.entries()) sequence.append(ids[i]!);
  }

  usage(): CacheUsage {
    const usedBlocks = this.#pool.numBlocks - this.#pool.available;
    return {
      capacityBytes: this.#pool.numBlocks * this.#bytesPerBlock,
      usedBytes: usedBlocks * this.#bytesPerBlock,
      waste: usedBlocks === 0 ? 0 : 1 - this.#pool.heldTokens / (usedBlocks * this.blockTokens),
      blocks: this.#pool.numBlocks,
      usedBlocks,
    };
  }

  /** Tensors of a step whatever its blocks. Those of short ones are kept, since decoding repeats them. */
  #tensors(batch: number, count: number): StepTensors {
    const key = `${batch}x${count}`;
    const known = this.#repeated.get(key);
    if (known) return known;
    const fresh = this.#layers.map(
      ({ name, numKvHeads, width }) => [`new${name}`, zeros("float32", [batch, count, numKvHeads * width])] as const,
    );
    const tensors = {
      last: hostTensor("int32", [batch], new Int32Array(batch)),
      total: hostTensor("int32", [], new Int32Array(1)),
      fresh: Object.fromEntries(fresh),
    };
    if (count <= MAX_REPEATED) this.#repeated.set(key, tensors);
    return tensors;
  }

  #blockTensors(batch: number, numBlocks: number): BlockTensors {
    const key = `${batch}x${numBlocks}`;
    const known = this.#bySize.get(key);
    if (known) return known;
    const tables = new Map(
      [...this.#headCounts].map((heads) => [
        heads,
        hostTensor("int64", [batch, heads, numBlocks], new BigInt64Array(batch * heads * numBlocks)),
      ]),
    );
    const { blockTokens } = this;
    const gathered = this.#layers.flatMap(({ kind, name, numKvHeads, width }) => {
      const data = this.#memory(kind, batch * numKvHeads * numBlocks * blockTokens * width);
      return [
        [`gathered${name}`, hostTensor("float32", [batch, numKvHeads, numBlocks, blockTokens * width], data)],
        [`present${name}`, hostTensor("float32", [batch, numKvHeads, numBlocks * blockTokens, width], data)],
      ] as const;
    });
    const tensors = { tables, gathered: Object.fromEntries(gathered) };
    this.#bySize.set(key, tensors);
    return tensors;
  }

  /** Where rows are gathered. It at least doubles, so that what earlier tensors still hold is no more than what is there. */
  #memory(kind: LayerPool["kind"], size: number): Float32Array {
    const known = this.#gathered[kind];
    if (known.length < size) this.#gathered[kind] = new Float32Array(Math.max(size, 2 * known.length));
    return this.#gathered[kind].subarray(0, size);
  }

  /** Fills a table with the rows of the pools that hold each head's blocks. What follows a sequence's end is not read. */
  #list(batch: readonly PagedSequence[], { shape, data }: HostTensor): void {
    const [, heads, numBlocks] = shape as readonly [number, number, number];
    for (const [i, { blocks }] of batch.entries()) {
      for (let head = 0; head < heads; head++) {
        const at = (i * heads + head) * numBlocks;
        for (let k = 0; k < numBlocks; k++) data[at + k] = BigInt((blocks[k]?.index ?? 0) * heads + head);
      }
    }
  }

  /** Writes a new token's heads to the block of its position. */
  #store(layer: LayerPool, fresh: Float32Array, row: number, sequence: PagedSequence, position: number): void {
    const { numKvHeads, width } = layer;
    const parts = layer.parts.map(({ tensor }) => tensor.data);
    const block = sequence.blocks[Math.floor(position / this.blockTokens)]!;
    for (let head = 0; head < numKvHeads; head++) {
      const to = (block.index * numKvHeads + head) * this.blockTokens + (position % this.blockTokens);
      const from = (row * numKvHeads + head) * width;
      this.format.store(parts, to, fresh.subarray(from, from + width));
    }
  }

  #copyRows(from: Block, to: Block, count: number): void {
    for (const { numKvHeads, parts } of this.#layers) {
      for (const { size, tensor } of parts) {
        const stride = this.blockTokens * size;
        for (let head = 0; head < numKvHeads; head++) {
          const at = (from.index * numKvHeads + head) * stride;
          tensor.data.copyWithin((to.index * numKvHeads + head) * stride, at, at + count * size);
        }
      }
    }
  }
}

/**
 * Blocks of `blockTokens` tokens with counts of their holders. Texts that begin alike hold the same blocks; a block is
 * copied when one of several holders is to write to it. The kernel reads rows that lie one after another, so each run
 * gathers them, layer by layer in the same memory, which stays in the processor's cache. That memory, one layer's rows of the
 * sequences that run, is not counted in `cacheBytes`.
 * @throws ConfigError when `blockTokens` is not a whole number from 1.
 */
export function pagedPolicy({ blockTokens = 16 }: { readonly blockTokens?: number } = {}): CachePolicy {
  if (!Number.isInteger(blockTokens) || blockTokens < 1)
    throw new ConfigError(`paged cache: blockTokens must be a whole number from 1, got ${blockTokens}`);
  return {
    name: "paged",
    isLossless: true,
    create: (model, options) => new PagedCache(model, options, blockTokens, float32Rows),
  };
}

/** Blocks of 16 tokens. */
export const paged: CachePolicy = pagedPolicy();
