/** @file Causal attention in tiles of queries and keys, and its gradient from what the forward pass summed up. */

import { allocate } from "../../base/dtype.js";
import {
  add,
  after,
  concat,
  div,
  equal,
  exp,
  log,
  matmul,
  maximum,
  mul,
  neg,
  pad,
  reduceMax,
  reduceSum,
  reshape,
  slice,
  sub,
  where,
} from "../ops/index.js";
import { constant, scalar, type Tensor } from "../tensor.js";
import { MASKED, visibleFrom } from "./visible.js";

export interface CausalAttentionOptions {
  /** Factor on the scores; 1/√C in the paper. */
  readonly scale: number;
  /** Queries per tile. */
  readonly tile: number;
  /**
   * Keys per tile; memory for scores grows with tile x keyTile. Default 512, which stay in a core's caches, and from 4,096
   * positions on an eighth of all: programs of more tiles take long to compile.
   */
  readonly keyTile?: number;
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

/** Keys first … last - 1. */
interface Keys {
  readonly first: number;
  readonly last: number;
}

/** Queries start … end - 1 and the keys that they see, cut where tiles of keys begin. */
interface Tile {
  readonly start: number;
  readonly end: number;
  readonly keys: readonly Keys[];
}

/** What attention gives, and what its gradient needs of it. */
export interface Attended {
  /** [B, H, Q, C]. */
  readonly out: Tensor;
  /** Logarithm of each query's sum of e^score, [B, H, Q, 1]. */
  readonly logSums: Tensor;
}

/** Tiles of one call. Queries of a group are rows of one matrix, so that keys are never repeated. */
export class TiledAttention {
  readonly #tiles: readonly Tile[];
  readonly #batch: number;
  readonly #groups: number;
  readonly #repeats: number;
  readonly #time: number;
  readonly #keyTile: number;

  constructor(
    readonly q: Tensor,
    readonly k: Tensor,
    readonly v: Tensor,
    readonly options: CausalAttentionOptions,
  ) {
    const [batch, heads, count] = q.shape as readonly [number, number, number, number];
    this.#batch = batch;
    this.#time = Number(k.shape[2]);
    this.#groups = Number(k.shape[1]);
    this.#repeats = heads / this.#groups;
    const { tile, window = this.#time, keyTile = Math.max(512, Math.ceil(this.#time / 8)) } = options;
    this.#keyTile = keyTile;
    this.#tiles = Array.from({ length: Math.ceil(count / tile) }, (_, i) => {
      const end = Math.min((i + 1) * tile, count);
      // the i-th of Q queries in order stands at i or behind, with Q - i - 1 others after it
      const keys = cut(Math.max(0, i * tile - window + 1), this.#time - count + end, keyTile);
      return { start: i * tile, end, keys };
    });
  }

  /** What attention gives, with what its gradient needs. */
  forward(): Attended {
    const { outputs, logSums } = this.#online(this.#cutsOf(this.v));
    return { out: concat(outputs, 2), logSums };
  }

  /** The logarithms of the sums alone: scores without the products by the values. */
  logSums(): Tensor {
    return this.#online(undefined).logSums;
  }

  /**
   * Tile by tile of keys, with m the largest score so far, l the sum of e^(score - m) and O that of e^(score - m) v: both
   * are scaled by e^(m - m') where a tile raises m to m' (Dao et al. 2022, algorithm 1). Outputs O / l where there are
   * values.
   */
  #online(values: Cuts | undefined): { readonly outputs: Tensor[]; readonly logSums: Tensor } {
    const [outputs, logSums]: [Tensor[], Tensor[]] = [[], []];
    const keys = this.#cutsOf(this.k);
    // one tile after the other: computed side by side, they would need the memory that tiles are there to save
    let previous: Tensor[] = [];
    for (const tile of this.#tiles) {
      const queries = this.#queries(this.q, tile);
      let state: { max: Tensor; sum: Tensor; weighted: Tensor | undefined } | undefined;
      for (const range of tile.keys) {
        const ordered = after(queries, previous);
        const scores = this.#masked(
          matmul(ordered, keys(range), { transB: true, scale: this.options.scale }),
          tile,
          range,
        );
        const largest = reduceMax(scores, [-1], { keepDims: true });
        const max = state ? maximum(state.max, largest) : largest;
        const weights = exp(sub(scores, max));
        let sum = reduceSum(weights, [-1], { keepDims: true });
        let weighted = values && matmul(weights, values(range));
        if (state) {
          const decay = exp(sub(state.max, max));
          sum = add(mul(state.sum, decay), sum);
          weighted &&= add(mul(state.weighted!, decay), weighted);
        }
        state = { max, sum, weighted };
        previous = weighted ? [sum, weighted] : [sum];
      }
      const { max, sum, weighted } = state!;
      if (weighted) outputs.push(this.#heads(div(weighted, sum), tile));
      logSums.push(this.#heads(add(max, log(sum)), tile));
    }
    return { outputs, logSums: concat(logSums, 2) };
  }

  /**
   * With P = e^(scores - logSums), recomputed, and dO the cotangent: dV = Pᵀ dO, dS = P ∘ (dO Vᵀ - rowsum(dO ∘ O)),
   * dQ = scale dS K, dK = scale dSᵀ Q (Dao et al. 2022, appendix B.2). What is subtracted per row rides as a further
   * column of Q and of dO, against ones in K and V.
   */
  backward(ct: Tensor, { out, logSums }: Attended): Tensor[] {
    const { scale, bias } = this.options;
    const ones = this.#ones();
    const delta = reduceSum(mul(ct, out), [-1], { keepDims: true });
    const upstreams = concat([ct, neg(delta)], -1);
    const shifted = concat([mul(this.q, scalar(scale)), neg(logSums)], -1);
    const keys = this.#cutsOf(this.k);
    const [wideKeys, wideValues] = [this.k, this.v].map((x) => this.#cutsOf(concat([x, ones], -1))) as [Cuts, Cuts];
    const [dq, dbias]: [Tensor[], Tensor[]] = [[], []];
    const [dk, dv] = [this.#keySums(), this.#keySums()];
    let previous: Tensor[] = [];
    for (const tile of this.#tiles) {
      const [queries, cotangents] = [this.#queries(this.q, tile), this.#queries(ct, tile)];
      let ofQueries: Tensor | undefined;
      const ofBias: Tensor[] = [];
      for (const range of tile.keys) {
        const [rows, upstream] = [shifted, upstreams].map((x) => after(this.#queries(x, tile), previous));
        const scores = matmul(rows!, wideKeys(range), { transB: true });
        const probabilities = exp(this.#masked(scores, tile, range));
        const ds = mul(probabilities, matmul(upstream!, wideValues(range), { transB: true }));
        const part = matmul(ds, keys(range), { scale });
        ofQueries = ofQueries ? add(ofQueries, part) : part;
        const ofKeys = dk.add(range, matmul(ds, queries, { transA: true, scale }));
        const ofValues = dv.add(range, matmul(probabilities, cotangents, { transA: true }));
        if (bias) ofBias.push(ds);
        previous = [ofQueries, ofKeys, ofValues];
      }
      dq.push(this.#heads(ofQueries!, tile));
      if (bias) {
        dbias.push(this.#biasGradient(concat(ofBias, -1), bias, tile));
        previous.push(dbias.at(-1)!);
      }
    }
    const gradients = [concat(dq, 2), dk.finish(), dv.finish()];
    if (bias) gradients.push(bias.shape[2] === 1 ? dbias.reduce((a, b) => add(a, b)) : concat(dbias, 2));
    return gradients;
  }

  /** The tile's scores' gradient [B, G, H/G · t, keys] → [1 or B, H, 1 or t, T]. */
  #biasGradient(ds: Tensor, bias: Tensor, { start, end, keys }: Tile): Tensor {
    const [first, last] = [keys[0]!.first, keys.at(-1)!.last];
    const apart = reshape(ds, [this.#batch, this.#groups * this.#repeats, end - start, last - first]);
    const axes = [0, 2].filter((axis) => bias.shape[axis] === 1);
    return pad(reduceSum(apart, axes, { keepDims: true }), 3, first, this.#time - last);
  }

  /** The part of a bias that a tile adds, [1 or B, G, H/G, 1 or t, keys]. */
  #biasOf(bias: Tensor, { start, end }: Tile, { first, last }: Keys): Tensor {
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

  /** [B, G, H/G · t, ·] → [B, H, t, ·]. */
  #heads(x: Tensor, { start, end }: Tile): Tensor {
    return reshape(x, [this.#batch, this.#groups * this.#repeats, end - start, x.shape[3]!]);
  }

  /** Tiles of keys of x [B, G, T, ·], each cut once. */
  #cutsOf(x: Tensor): Cuts {
    const known = new Map<string, Tensor>();
    return ({ first, last }) => {
      const name = `${first}:${last}`;
      const part = known.get(name) ?? slice(x, 2, first, last);
      known.set(name, part);
      return part;
    };
  }

  #keySums(): KeySums {
    return new KeySums(this.#time, this.#keyTile);
  }

  /** Scores [B, G, H/G · t, keys] of a tile, with what hides keys and what biases them. */
  #masked(scores: Tensor, tile: Tile, keys: Keys): Tensor {
    const { bias } = this.options;
    const hidden = this.#hidden(tile, keys);
    const added = [...(hidden ? [hidden] : []), ...(bias ? [this.#biasOf(bias, tile, keys)] : [])];
    if (added.length === 0) return scores;
    const [rows, seen] = [tile.end - tile.start, keys.last - keys.first];
    const split = reshape(scores, [this.#batch, this.#groups, this.#repeats, rows, seen]);
    return reshape(
      added.reduce((sum, one) => add(sum, one), split),
      scores.shape,
    );
  }

  /** MASKED where a query must not see a key and 0 elsewhere, [t, keys] or [B, 1, 1, t, keys]; nothing where all is seen. */
  #hidden({ start, end }: Tile, { first, last }: Keys): Tensor | undefined {
    const { places, segments, window = this.#time } = this.options;
    const [rows, seen] = [end - start, last - first];
    if (places) {
      const bias = visibleFrom(slice(places, 1, start, end), { ...this.options, time: this.#time, first, last });
      return reshape(bias, [this.#batch, 1, 1, rows, seen]);
    }
    const isPart = last > start + 1 || first < end - window;
    const band = isPart ? bandBias({ start, end }, { first, last }, window) : undefined;
    if (!segments) return band;
    const ofQueries = reshape(slice(segments, 1, start, end), [this.#batch, 1, 1, rows, 1]);
    const ofKeys = reshape(slice(segments, 1, first, last), [this.#batch, 1, 1, 1, seen]);
    const apart = where(equal(ofQueries, ofKeys), scalar(0), scalar(MASKED));
    return band ? add(apart, band) : apart;
  }

  #ones(): Tensor {
    const shape = [this.#batch, this.#groups, this.#time, 1];
    const data = allocate("float32", this.#batch * this.#groups * this.#time).fill(1);
    return constant({ dtype: "float32", shape, data });
  }
}

type Cuts = (keys: Keys) => Tensor;

/** first … last - 1, cut at the multiples of `size`. */
function cut(first: number, last: number, size: number): Keys[] {
  const parts: Keys[] = [];
  for (let at = first; at < last; ) {
    const next = Math.min(last, (Math.floor(at / size) + 1) * size);
    parts.push({ first: at, last: next });
    at = next;
  }
  return parts;
}

/** Gradients of keys, summed over the tiles of queries that see them. */
class KeySums {
  readonly #sums = new Map<number, Tensor>();

  constructor(
    readonly time: number,
    readonly size: number,
  ) {}

  /** Adds a part [B, G, keys, C] that lies within one tile of keys. Returns the sum so far of that tile. */
  add({ first, last }: Keys, part: Tensor): Tensor {
    const tile = Math.floor(first / this.size);
    const [start, end] = this.#rangeOf(tile);
    const whole = first === start && last === end ? part : pad(part, 2, first - start, end - last);
    const known = this.#sums.get(tile);
    const sum = known ? add(known, whole) : whole;
    this.#sums.set(tile, sum);
    return sum;
  }

  /** [B, G, T, C]. */
  finish(): Tensor {
    const numTiles = Math.ceil(this.time / this.size);
    return concat(
      Array.from({ length: numTiles }, (_, tile) => this.#sums.get(tile)!),
      2,
    );
  }

  #rangeOf(tile: number): [number, number] {
    return [tile * this.size, Math.min(this.time, (tile + 1) * this.size)];
  }
}

/** [t, keys]: MASKED for keys after the query, and for those `window` or more before it. */
function bandBias({ start, end }: Pick<Tile, "start" | "end">, { first, last }: Keys, window: number): Tensor {
  const [rows, seen] = [end - start, last - first];
  const within = (key: number): number => Math.min(Math.max(key - first, 0), seen);
  const data = allocate("float32", rows * seen);
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * seen, (i + 1) * seen);
    row.fill(MASKED, 0, within(start + i - window + 1));
    row.fill(MASKED, within(start + i + 1));
  }
  return constant({ dtype: "float32", shape: [rows, seen], data });
}
