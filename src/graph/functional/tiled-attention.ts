/** @file Tiles of causal attention: what of the keys each sees, its probabilities, and the gradients summed over tiles. */

import { allocate } from "../../base/dtype.js";
import { assert } from "../../base/errors.js";
import {
  add,
  after,
  concat,
  equal,
  matmul,
  mul,
  neg,
  pad,
  reduceSum,
  reshape,
  slice,
  softmax,
  where,
} from "../ops/index.js";
import { constant, scalar, type Tensor } from "../tensor.js";
import { MASKED, visibleFrom } from "./visible.js";

export interface CausalAttentionOptions {
  /** Factor on the scores; 1/√C in the paper. */
  readonly scale: number;
  /** Queries per tile. Memory grows with tile x T. */
  readonly tile: number;
  /**
   * Segment of each position [B, T] (int64): a query sees only keys of its own segment. Without it the whole row is one
   * segment.
   */
  readonly segments?: Tensor;
  /** A query sees itself and the `window - 1` positions before it. Without it, all before it. */
  readonly window?: number;
  /**
   * Added to the scaled scores (ALiBi, T5's buckets), [1 or B, H, 1 or T, T]; one row for all queries where the bias
   * depends on the key alone. Gradients flow to it.
   */
  readonly bias?: Tensor;
  /**
   * Where the queries stand, [B, Q] int64, where they are not all T positions: row · T + position, ascending in each row.
   * No bias then.
   */
  readonly places?: Tensor;
}

/** One tile: queries start … end - 1 against keys first … last - 1. */
interface Tile {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** Tiles of one call. Queries of a group are rows of one matrix, so that keys are never repeated. */
export class TiledAttention {
  readonly #tiles: readonly Tile[];
  readonly #batch: number;
  readonly #groups: number;
  readonly #repeats: number;
  readonly #headDim: number;
  readonly #time: number;

  constructor(
    readonly q: Tensor,
    readonly k: Tensor,
    readonly v: Tensor,
    readonly options: CausalAttentionOptions,
  ) {
    const [batch, heads, count, headDim] = q.shape as readonly [number, number, number, number];
    this.#batch = batch;
    this.#time = Number(k.shape[2]);
    this.#headDim = headDim;
    this.#groups = Number(k.shape[1]);
    this.#repeats = heads / this.#groups;
    const { tile, window = this.#time } = options;
    this.#tiles = Array.from({ length: Math.ceil(count / tile) }, (_, i) => {
      const end = Math.min((i + 1) * tile, count);
      // the i-th of Q queries in order stands at i or behind, with Q - i - 1 others after it
      return { start: i * tile, end, first: Math.max(0, i * tile - window + 1), last: this.#time - count + end };
    });
  }

  forward(): Tensor {
    const outputs = this.#tiles.map((tile) => {
      const probabilities = this.#probabilities(tile, this.#queries(this.q, tile));
      return this.#heads(matmul(probabilities, this.#keys(this.v, tile)), tile);
    });
    return concat(outputs, 2);
  }

  /**
   * With P the probabilities and dO the cotangent: dV = Pᵀ dO, dS = P ∘ (dO Vᵀ - rowsum(dO ∘ O)), dQ = scale dS K,
   * dK = scale dSᵀ Q (Dao et al. 2022, appendix B.2). The row sum rides as a further column of dO, against ones in V.
   */
  backward(ct: Tensor, output: Tensor): Tensor[] {
    const { scale, bias } = this.options;
    const ones = this.#ones();
    const delta = reduceSum(mul(ct, output), [-1], { keepDims: true });
    const shifted = concat([ct, neg(delta)], -1);
    const widened = concat([this.v, ones], -1);
    const dq: Tensor[] = [];
    const dbias: Tensor[] = [];
    const [dk, dv] = [new PrefixSum(this.#tiles), new PrefixSum(this.#tiles)];
    let previous: Tensor[] = [];
    for (const [i, tile] of [...this.#tiles.entries()].reverse()) {
      const queries = after(this.#queries(this.q, tile), previous);
      const upstream = after(this.#queries(shifted, tile), previous);
      const probabilities = this.#probabilities(tile, queries);
      const ds = mul(probabilities, matmul(upstream, this.#keys(widened, tile), { transB: true }));
      dq[i] = this.#heads(matmul(ds, this.#keys(this.k, tile), { scale }), tile);
      const partOfK = dk.add(i, matmul(ds, queries, { transA: true, scale }));
      const partOfV = dv.add(i, matmul(probabilities, this.#queries(ct, tile), { transA: true }));
      if (bias) dbias[i] = this.#biasGradient(ds, bias, tile);
      previous = [dq[i]!, partOfK, partOfV, ...(bias ? [dbias[i]!] : [])];
    }
    const gradients = [concat(dq, 2), dk.finish(), dv.finish()];
    if (bias) gradients.push(bias.shape[2] === 1 ? dbias.reduce((a, b) => add(a, b)) : concat(dbias, 2));
    return gradients;
  }

  /** The tile's scores' gradient [B, G, H/G · t, keys] → [1 or B, H, 1 or t, T]. */
  #biasGradient(ds: Tensor, bias: Tensor, { start, end, first, last }: Tile): Tensor {
    const apart = reshape(ds, [this.#batch, this.#groups * this.#repeats, end - start, last - first]);
    const axes = [0, 2].filter((axis) => bias.shape[axis] === 1);
    return pad(reduceSum(apart, axes, { keepDims: true }), 3, first, this.#time - last);
  }

  /** The part of a bias that a tile adds, [1 or B, G, H/G, 1 or t, keys]. */
  #biasOf(bias: Tensor, { start, end, first, last }: Tile): Tensor {
    const rows = bias.shape[2] === 1 ? bias : slice(bias, 2, start, end);
    return reshape(slice(rows, 3, first, last), [
      bias.shape[0]!,
      this.#groups,
      this.#repeats,
      rows.shape[2]!,
      last - first,
    ]);
  }

  /** [B, H, T, ·] → the tile's queries [B, G, H/G · t, ·]. */
  #queries(x: Tensor, { start, end }: Tile): Tensor {
    const rows = this.#repeats * (end - start);
    return reshape(slice(x, 2, start, end), [this.#batch, this.#groups, rows, x.shape[3]!]);
  }

  /** [B, G, H/G · t, C] → [B, H, t, C]. */
  #heads(x: Tensor, { start, end }: Tile): Tensor {
    return reshape(x, [this.#batch, this.#groups * this.#repeats, end - start, this.#headDim]);
  }

  /** [B, G, T, ·] → the keys that the tile sees. */
  #keys(x: Tensor, { first, last }: Tile): Tensor {
    return slice(x, 2, first, last);
  }

  /** softmax of the tile's masked scores, [B, G, H/G · t, keys]. */
  #probabilities(tile: Tile, queries: Tensor): Tensor {
    const { start, end, first, last } = tile;
    const [rows, seen] = [end - start, last - first];
    const { scale, places } = this.options;
    const scores = (keys: Tensor): Tensor => matmul(queries, keys, { transB: true, scale });
    const split = (x: Tensor): Tensor => reshape(x, [this.#batch, this.#groups, this.#repeats, rows, x.shape[3]!]);
    const joined = (x: Tensor): Tensor =>
      reshape(x, [this.#batch, this.#groups, this.#repeats * rows, x.shape.at(-1)!]);
    if (places) {
      const bias = visibleFrom(slice(places, 1, start, end), { ...this.options, time: this.#time, first, last });
      const apart = split(scores(this.#keys(this.k, tile)));
      return softmax(joined(add(apart, reshape(bias, [this.#batch, 1, 1, rows, seen]))));
    }
    // only the keys that are also queries of this tile need the causal mask, so only their scores pay for it
    const triangle = joined(add(split(scores(slice(this.k, 2, start, end))), causalBias(rows)));
    let all = triangle;
    if (first < start) all = concat([scores(slice(this.k, 2, first, start)), triangle], -1);
    const { window } = this.options;
    if (window !== undefined && end - window > first) all = joined(add(split(all), windowBias(tile, window)));
    if (this.options.bias) all = joined(add(split(all), this.#biasOf(this.options.bias, tile)));
    if (this.options.segments) all = joined(add(split(all), this.#segmentBias(this.options.segments, tile)));
    assert(all.shape[3] === seen, "scores cover the keys of a tile");
    return softmax(all);
  }

  /** 0 where query and key belong to one segment, MASKED elsewhere: [B, 1, 1, t, keys]. */
  #segmentBias(segments: Tensor, { start, end, first, last }: Tile): Tensor {
    const ofQueries = reshape(slice(segments, 1, start, end), [this.#batch, 1, 1, end - start, 1]);
    const ofKeys = reshape(slice(segments, 1, first, last), [this.#batch, 1, 1, 1, last - first]);
    return where(equal(ofQueries, ofKeys), scalar(0), scalar(MASKED));
  }

  #ones(): Tensor {
    const shape = [this.#batch, this.#groups, this.#time, 1];
    const data = allocate("float32", this.#batch * this.#groups * this.#time).fill(1);
    return constant({ dtype: "float32", shape, data });
  }
}

/** Gradients of keys, summed over the tiles that see them, from the last tile to the first. */
class PrefixSum {
  readonly #tiles: readonly Tile[];
  readonly #finished: Tensor[] = [];
  /** Sum so far over keys `#first` … of the tile that was added last. */
  #open: Tensor | undefined;
  #first = 0;

  constructor(tiles: readonly Tile[]) {
    this.#tiles = tiles;
  }

  /** Adds tile i's part, [B, G, keys, C]; keys that no earlier tile sees are done. Returns the sum that is still open. */
  add(i: number, part: Tensor): Tensor {
    const { last, first } = this.#tiles[i]!;
    const shared = last - this.#first;
    let sum = part;
    if (this.#open) {
      const openLast = this.#tiles[i + 1]!.last;
      this.#finished.unshift(slice(this.#open, 2, shared, openLast - this.#first));
      if (shared > 0) {
        const [lead, earlier] = [this.#first - first, slice(this.#open, 2, 0, shared)];
        const both = add(slice(part, 2, lead, last - first), earlier);
        sum = lead === 0 ? both : concat([slice(part, 2, 0, lead), both], 2);
      }
    }
    this.#open = sum;
    this.#first = first;
    return sum;
  }

  /** [B, G, T, C]. */
  finish(): Tensor {
    return concat([this.#open!, ...this.#finished], 2);
  }
}

/** [t, t]: MASKED above the diagonal. */
function causalBias(rows: number): Tensor {
  const data = allocate("float32", rows * rows);
  for (let i = 0; i < rows; i++) data.fill(MASKED, i * rows + i + 1, (i + 1) * rows);
  return constant({ dtype: "float32", shape: [rows, rows], data });
}

/** [t, keys]: MASKED where a key lies `window` or more before the query. */
function windowBias({ start, end, first, last }: Tile, window: number): Tensor {
  const [rows, seen] = [end - start, last - first];
  const data = allocate("float32", rows * seen);
  for (let i = 0; i < rows; i++) data.fill(MASKED, i * seen, i * seen + Math.max(0, start + i - window + 1 - first));
  return constant({ dtype: "float32", shape: [rows, seen], data });
}
