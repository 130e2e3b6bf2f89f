/** @file Attention of every query to every key, within a sequence or across two, in query tiles. */

import { ShapeError, UnsupportedError } from "../../base/errors.js";
import { withGradient } from "../custom.js";
import {
  add,
  after,
  broadcastTo,
  concat,
  matmul,
  mul,
  reduceSum,
  reshape,
  slice,
  softmax,
  sub,
  where,
} from "../ops/index.js";
import { scalar, type Tensor } from "../tensor.js";

/** Score of a key that must not be seen. Finite, so that a row without any key has no NaN. */
const MASKED = -1e30;

export interface FullAttentionOptions {
  /** Factor on q kᵀ; 1/√C in the paper, 1 in T5. */
  readonly scale: number;
  /** Queries per tile: memory grows with tile · Tk. Without it all queries are one tile, and sizes may be named. */
  readonly tile?: number;
  /** Which keys there are, [B, Tk] bool: padding is false. Without it, all. */
  readonly mask?: Tensor;
  /** Added to the scaled scores, [1 or B, H, 1 or Tq, Tk]. Gradients flow to it. */
  readonly bias?: Tensor;
  /** Applied to the probabilities of the tile that starts at `start`: linear, and the same for the same start. */
  readonly dropout?: (probabilities: Tensor, start: number) => Tensor;
}

/**
 * softmax(scale · q kᵀ + bias) v over the keys that the mask leaves (Vaswani et al. 2017, arXiv:1706.03762, eq. 1), with
 * the probabilities computed again in the backward pass (Dao et al. 2022, arXiv:2205.14135, section 3).
 * q [B, H, Tq, C], k and v [B, G, Tk, C] with G dividing H → [B, H, Tq, C].
 * @throws ShapeError when shapes do not fit; UnsupportedError for tiles of a length that is not known.
 */
export function fullAttention(q: Tensor, k: Tensor, v: Tensor, options: FullAttentionOptions): Tensor {
  checkShapes(q, k, v, options);
  const core = new FullAttention(q, k, v, options);
  const { bias } = options;
  const keys = k.shape[2]!;
  const [out] = withGradient(
    "full_attention",
    bias ? [q, k, v, bias] : [q, k, v],
    [core.forward()],
    (ct, { output }) => core.backward(ct, output),
    { flopsPerElement: typeof keys === "number" ? 4 * keys : Number.POSITIVE_INFINITY },
  );
  return out!;
}

function checkShapes(q: Tensor, k: Tensor, v: Tensor, { tile, mask, bias }: FullAttentionOptions): void {
  const [batch, heads, queries, headDim] = q.shape;
  const [groups, keys] = [k.shape[1], k.shape[2]];
  const fits =
    q.rank === 4 &&
    `${k.shape}` === `${v.shape}` &&
    `${k.shape}` === `${[batch, groups, keys, headDim]}` &&
    Number(heads) % Number(groups) === 0;
  if (!fits) throw new ShapeError(`attention: q [${q.shape}], k [${k.shape}] and v [${v.shape}] do not fit`);
  if (mask && `${mask.dtype}[${mask.shape}]` !== `bool[${[batch, keys]}]`) {
    throw new ShapeError(`attention: expected a mask bool[${[batch, keys]}], got ${mask}`);
  }
  const isOneOf = (dim: unknown, size: unknown): boolean => dim === 1 || dim === size;
  if (bias) {
    const [b, h, t, s] = bias.shape;
    if (bias.rank !== 4 || !isOneOf(b, batch) || h !== heads || !isOneOf(t, queries) || s !== keys) {
      throw new ShapeError(
        `attention: expected a bias [1 or ${batch}, ${heads}, 1 or ${queries}, ${keys}], got [${bias.shape}]`,
      );
    }
  }
  if (tile !== undefined && typeof queries !== "number") {
    throw new UnsupportedError(`attention in tiles needs a known number of queries, got q [${q.shape}]`);
  }
}

interface Tile {
  readonly start: number;
  /** The end; the name of the length where that is not known. */
  readonly end: number | string;
}

/** One call. Queries of a group are rows of one matrix, so that keys are never repeated. */
class FullAttention {
  readonly #tiles: readonly Tile[];
  readonly #groups: number;
  readonly #repeats: number;
  readonly #maskBias: Tensor | undefined;

  constructor(
    readonly q: Tensor,
    readonly k: Tensor,
    readonly v: Tensor,
    readonly options: FullAttentionOptions,
  ) {
    const [batch, heads, time] = q.shape;
    const { tile = time!, mask } = options;
    this.#tiles =
      typeof time === "number" && typeof tile === "number"
        ? Array.from({ length: Math.ceil(time / tile) }, (_, i) => ({
            start: i * tile,
            end: Math.min((i + 1) * tile, time),
          }))
        : [{ start: 0, end: time! }];
    this.#groups = Number(k.shape[1]);
    this.#repeats = Number(heads) / this.#groups;
    this.#maskBias =
      mask && where(reshape(mask, [batch!, 1, 1, k.shape[2]!]), scalar(0, q.dtype), scalar(MASKED, q.dtype));
  }

  forward(): Tensor {
    const outputs = this.#tiles.map((tile) => {
      const probabilities = this.#probabilities(tile, this.#queries(this.q, tile));
      return this.#heads(matmul(this.#dropped(probabilities, tile), this.v), tile);
    });
    return concat(outputs, 2);
  }

  /**
   * With P the probabilities, M the dropout and dO the cotangent: dV = (M P)ᵀ dO, dS = P ∘ (M (dO Vᵀ) - rowsum(dO ∘ O)),
   * dBias = dS, dQ = scale dS K, dK = scale dSᵀ Q (Dao et al. 2022, appendix B.4).
   */
  backward(ct: Tensor, output: Tensor): Tensor[] {
    const { scale, bias } = this.options;
    const delta = reduceSum(mul(ct, output), [-1], { keepDims: true });
    const [dq, dbias]: [Tensor[], Tensor[]] = [[], []];
    let [dk, dv]: [Tensor | undefined, Tensor | undefined] = [undefined, undefined];
    let previous: Tensor[] = [];
    for (const tile of this.#tiles) {
      // one tile after the other: computed side by side, they would need the memory that tiles are there to save
      const queries = after(this.#queries(this.q, tile), previous);
      const upstream = after(this.#queries(ct, tile), previous);
      const probabilities = this.#probabilities(tile, queries);
      const dp = this.#dropped(matmul(upstream, this.v, { transB: true }), tile);
      const ds = mul(probabilities, sub(dp, this.#queries(delta, tile)));
      dq.push(this.#heads(matmul(ds, this.k, { scale }), tile));
      const partOfK = matmul(ds, queries, { transA: true, scale });
      const partOfV = matmul(this.#dropped(probabilities, tile), upstream, { transA: true });
      dk = dk ? add(dk, partOfK) : partOfK;
      dv = dv ? add(dv, partOfV) : partOfV;
      previous = [dq.at(-1)!, dk, dv];
      if (bias) {
        dbias.push(this.#biasGradient(ds, bias, tile));
        previous.push(dbias.at(-1)!);
      }
    }
    const gradients = [concat(dq, 2), dk!, dv!];
    if (bias) gradients.push(bias.shape[2] === 1 ? dbias.reduce((a, b) => add(a, b)) : concat(dbias, 2));
    return gradients;
  }

  /** [B, H, Tq, ·] → the tile's queries [B, G, H/G · t, ·]. */
  #queries(x: Tensor, tile: Tile): Tensor {
    return this.#grouped(slice(x, 2, tile.start, tile.end));
  }

  /** [·, H, t, ·] → [·, G, H/G · t, ·]. Nothing to do where no key is shared by several queries. */
  #grouped(x: Tensor): Tensor {
    if (this.#repeats === 1) return x;
    const [batch, , time, width] = x.shape;
    const rows = typeof time === "number" ? this.#repeats * time : `${this.#repeats}*${time}`;
    return reshape(x, [batch!, this.#groups, rows, width!]);
  }

  /** [B, G, H/G · t, ·] → [B, H, t, ·]. */
  #heads(x: Tensor, { start, end }: Tile): Tensor {
    if (this.#repeats === 1) return x;
    const time = typeof end === "number" ? end - start : end;
    return reshape(x, [x.shape[0]!, this.#groups * this.#repeats, time, x.shape[3]!]);
  }

  /** The tile's probabilities, [B, G, H/G · t, Tk]. */
  #probabilities(tile: Tile, queries: Tensor): Tensor {
    const { scale, bias } = this.options;
    let scores = matmul(queries, this.k, { transB: true, scale });
    if (bias) scores = add(scores, this.#biasOf(bias, tile));
    if (this.#maskBias) scores = add(scores, this.#maskBias);
    return softmax(scores);
  }

  #biasOf(bias: Tensor, tile: Tile): Tensor {
    if (bias.shape[2] !== 1) return this.#queries(bias, tile);
    if (this.#repeats === 1) return bias;
    const [batch, heads, , keys] = bias.shape;
    const time = typeof tile.end === "number" ? tile.end - tile.start : tile.end;
    return this.#grouped(broadcastTo(bias, [batch!, heads!, time, keys!])); // queries of several heads share an axis
  }

  #biasGradient(ds: Tensor, bias: Tensor, tile: Tile): Tensor {
    const apart = this.#heads(ds, tile);
    const axes = [0, 2].filter((axis) => bias.shape[axis] === 1 && apart.shape[axis] !== 1);
    return reduceSum(apart, axes, { keepDims: true });
  }

  #dropped(probabilities: Tensor, tile: Tile): Tensor {
    return this.options.dropout?.(probabilities, tile.start) ?? probabilities;
  }
}
