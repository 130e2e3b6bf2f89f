/** @file Causal self-attention as a part of a layer: projections, norms of heads, rotation, output. */

import { reshape, rope, slice, type Tensor } from "../../graph/index.js";
import type { LayerContext, Module, ParameterSpec, Scope } from "../model.js";
import { linearParameters } from "./linear.js";
import type { Norm } from "./norm.js";

export interface HeadShape {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

/** Where queries, keys and values come from. x [B, T, D] → q [B, T, H·C], k and v [B, T, G·C]. */
export interface Projections {
  readonly parameters: readonly ParameterSpec[];
  project(scope: Scope, x: Tensor): { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor };
}

export interface ProjectionOptions extends HeadShape {
  readonly hiddenSize: number;
  readonly bias: boolean;
  readonly std: number;
}

/** A linear map each: `q_proj`, `k_proj` and `v_proj` under `prefix`. */
export function separateProjections(prefix: string, options: ProjectionOptions): Projections {
  const { hiddenSize, numHeads, numKvHeads, headDim, bias, std } = options;
  const linear = (name: string, heads: number): ParameterSpec[] =>
    linearParameters(prefix + name, {
      inFeatures: hiddenSize,
      outFeatures: heads * headDim,
      bias,
      init: { std },
    });
  return {
    parameters: [...linear("q_proj", numHeads), ...linear("k_proj", numKvHeads), ...linear("v_proj", numKvHeads)],
    project: (scope, x) => ({
      q: scope.linear(`${prefix}q_proj`).forward(x),
      k: scope.linear(`${prefix}k_proj`).forward(x),
      v: scope.linear(`${prefix}v_proj`).forward(x),
    }),
  };
}

export interface FusedOptions extends ProjectionOptions {
  /** Rows of the weight: all queries, then all keys, then all values; or query, key and value of each head in turn. */
  readonly order: "blocks" | "heads";
  /** Stored [in, out]. Default false. */
  readonly isTransposed?: boolean;
}

/** One linear map for all three, cut afterwards: the checkpoint's weight stays whole, so adapters keep their names. */
export function fusedProjection(name: string, options: FusedOptions): Projections {
  const { hiddenSize, numHeads, numKvHeads, headDim, bias, std, order, isTransposed = false } = options;
  const [ofQueries, ofKeys] = [numHeads * headDim, numKvHeads * headDim];
  return {
    parameters: linearParameters(name, {
      inFeatures: hiddenSize,
      outFeatures: ofQueries + 2 * ofKeys,
      bias,
      init: { std },
      isTransposed,
    }),
    project: (scope, x) => {
      const all = scope.linear(name).forward(x);
      if (order === "heads") return splitByHead(all, numHeads, headDim);
      const end = ofQueries + ofKeys;
      return { q: slice(all, 2, 0, ofQueries), k: slice(all, 2, ofQueries, end), v: slice(all, 2, end, end + ofKeys) };
    },
  };
}

/** [B, T, H · 3 · C] → three of [B, T, H · C]. */
function splitByHead(all: Tensor, numHeads: number, headDim: number): { q: Tensor; k: Tensor; v: Tensor } {
  const [batch, time] = all.shape;
  const apart = reshape(all, [batch!, time!, numHeads, 3 * headDim]);
  const part = (i: number): Tensor =>
    reshape(slice(apart, 3, i * headDim, (i + 1) * headDim), [batch!, time!, numHeads * headDim]);
  return { q: part(0), k: part(1), v: part(2) };
}

/** Names of the tables that a layer rotates by; null for layers without rotation. */
export interface RotationNames {
  readonly cos: string;
  readonly sin: string;
}

export interface SelfAttentionOptions extends HeadShape {
  readonly hiddenSize: number;
  readonly projections: Projections;
  /** Name of the linear map from heads to the hidden size. */
  readonly output: string;
  readonly outputBias: boolean;
  readonly outputStd: number;
  readonly isTransposed?: boolean;
  readonly rotation: RotationNames | null;
  /** Norms of each head of queries and keys, before the rotation. */
  readonly queryNorm?: Norm;
  readonly keyNorm?: Norm;
  /** Factor on the scores. Default 1/√C. */
  readonly scale?: number;
  readonly window?: number;
  readonly softcap?: number;
}

/** x [B, T, D] → [B, T, D]. */
export function selfAttention(options: SelfAttentionOptions): Module {
  const { numHeads, numKvHeads, headDim, hiddenSize, projections, output, rotation, queryNorm, keyNorm } = options;
  const { scale = headDim ** -0.5, window, softcap } = options;
  const ofOutput = linearParameters(output, {
    inFeatures: numHeads * headDim,
    outFeatures: hiddenSize,
    bias: options.outputBias,
    init: { std: options.outputStd },
    isTransposed: options.isTransposed ?? false,
  });
  const parameters = [
    ...projections.parameters,
    ...(queryNorm?.parameters ?? []),
    ...(keyNorm?.parameters ?? []),
    ...ofOutput,
  ];
  return {
    parameters,
    forward: (scope, x, context) => {
      const { q, k, v } = projections.project(scope, x);
      const prepare = (h: Tensor, heads: number, norm: Norm | undefined): Tensor => {
        const normalized = norm ? normalizeHeads(scope, norm, h, heads, headDim) : h;
        return rotation ? rotate(normalized, heads, headDim, rotation, context) : normalized;
      };
      const attended = context.attend({
        q: prepare(q, numHeads, queryNorm),
        k: prepare(k, numKvHeads, keyNorm),
        v,
        numHeads,
        numKvHeads,
        headDim,
        scale,
        ...(window !== undefined && { window }),
        ...(softcap !== undefined && { softcap }),
      });
      return scope.linear(output).forward(attended);
    },
  };
}

/** A norm over the dims of each head. */
function normalizeHeads(scope: Scope, norm: Norm, x: Tensor, heads: number, headDim: number): Tensor {
  const [batch, time] = x.shape;
  return reshape(norm.forward(scope, reshape(x, [batch!, time!, heads, headDim])), x.shape);
}

/** Rotates all dims of each head, or the first ones where the tables are narrower. */
function rotate(x: Tensor, heads: number, headDim: number, { cos, sin }: RotationNames, context: LayerContext): Tensor {
  const [cosines, sines] = [context.tables[cos]!, context.tables[sin]!];
  const isPartial = 2 * Number(cosines.shape[1]) < headDim;
  const attrs = isPartial ? { interleaved: false, numHeads: heads } : { interleaved: false };
  return rope(x, context.positions, cosines, sines, attrs);
}
