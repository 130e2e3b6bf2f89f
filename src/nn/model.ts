/** @file What a language model is to everything that runs one: parameters by name, and layers as functions of tensors. */

import { CapacityError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { zeros } from "../base/host-tensor.js";
import { deriveSeed, Rng } from "../base/rng.js";
import type { Tensor } from "../graph/index.js";

/** How a parameter starts: a constant, or normal with mean 0. */
export type Initializer = { readonly fill: number } | { readonly std: number };

export interface ParameterSpec {
  /** Name as in Hugging Face checkpoints; local to a layer where the spec belongs to one. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
  /**
   * What a matrix is, where it is not a linear map stored [out, in]: one stored [in, out] ("transposed", GPT-2's Conv1D),
   * or values that are read as they are ("plain": position tables, routers), which adapters and packing leave alone.
   */
  readonly matrix?: "transposed" | "plain";
}

/** Sizes of the linear map that a parameter holds; undefined where it holds something else. */
export function linearShape(spec: ParameterSpec): { outFeatures: number; inFeatures: number } | undefined {
  const [rows, columns] = spec.shape;
  const isLinear = spec.name.endsWith(".weight") && spec.shape.length === 2 && spec.matrix !== "plain";
  if (!isLinear || rows === undefined || columns === undefined) return undefined;
  return spec.matrix === "transposed"
    ? { outFeatures: columns, inFeatures: rows }
    : { outFeatures: rows, inFeatures: columns };
}

/** A linear map as layers and PEFT methods see it, whatever kernel is behind it. */
export interface LinearHandle {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor;
  /** The values of the weight [out, in]; absent where they are packed. */
  weight?(): Tensor;
  /** What `forward` adds to W x, where the map has one. */
  readonly bias?: Tensor;
}

/** What an adapter adds to a linear map's weight: scale · up · down. */
export interface LowRankUpdate {
  /** [r, in], float32. */
  readonly down: HostTensor;
  /** [out, r], float32. */
  readonly up: HostTensor;
  readonly scale: number;
}

/** Parameters while a layer's graph is built. */
export interface Scope {
  /** A parameter by its local name. */
  tensor(name: string): Tensor;
  has(name: string): boolean;
  /** The linear map whose weight is `<name>.weight`, with `<name>.bias` where there is one. */
  linear(name: string): LinearHandle;
}

/** Queries, keys and values of one layer, positions already applied. q [B, T, H·C], k and v [B, T, G·C]. */
export interface AttentionRequest {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly scale: number;
  /** A query sees itself and the `window - 1` positions before it. */
  readonly window?: number;
  /** Scores s become softcap · tanh(s / softcap) before the mask (Gemma 2, arXiv:2408.00118, section 2). */
  readonly softcap?: number;
  /** Added to the scaled scores, [1 or B, H, 1 or T, T] (ALiBi): while training and in `forward`; no cache takes it yet. */
  readonly bias?: Tensor;
  /**
   * While training, tokens see those of their own group only: groups of this share of the sequence, shifted by half a group
   * for half of the heads (LongLoRA's S²-Attn). Whoever runs the model otherwise attends to all.
   */
  readonly trainingGroup?: number;
}

/** What surrounds a layer: supplied by whoever runs it, so that a layer knows neither tiles nor caches. */
export interface LayerContext {
  /** Position of each token in its sequence, [B, T] int64. */
  readonly positions: Tensor;
  /** The model's tables (rotary cos and sin) by name. */
  readonly tables: Readonly<Record<string, Tensor>>;
  /** Causal attention → [B, T, H·C]. */
  attend(request: AttentionRequest): Tensor;
  /** Dropout while training, x itself otherwise. Every call draws a mask of its own. */
  dropout(x: Tensor, rate: number): Tensor;
  /** Hands a value out beside the layer's result (router logits); whoever runs the layer may leave it. */
  report?(name: string, value: Tensor): void;
}

/** A part of a layer: parameters by local name, and its function. x [B, T, D] → [B, T, ·]. */
export interface Module {
  readonly parameters: readonly ParameterSpec[];
  forward(scope: Scope, x: Tensor, context: LayerContext): Tensor;
}

/** A layer's parameters and its function. Layers of one kind differ only in the values of their parameters. */
export interface LayerKind {
  readonly parameters: readonly ParameterSpec[];
  /** x [B, T, D] → [B, T, D]. */
  build(scope: Scope, x: Tensor, context: LayerContext): Tensor;
}

/**
 * One layer of a model: parameter names are `prefix` + local name. What comes before the first attention layer (learned
 * positions, a scale of the embeddings) is a layer of its own, of kind "stem" and with prefix "".
 */
export interface Layer {
  readonly kind: string;
  readonly prefix: string;
}

/** Keys and values that a layer leaves for later tokens. */
export interface CacheSpec {
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly window?: number;
}

/** What becomes of rows of a table before they are used; gradients by the rows go to the table as they are. */
export interface RowReading {
  /** In a graph, [n, D] → [n, D]. */
  tensor(rows: Tensor): Tensor;
  /** In place, [n, D]. */
  host(rows: HostTensor): void;
}

export interface LanguageModel {
  /** Family by its registry key. */
  readonly family: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Longest sequence the model was made for. */
  readonly maxPositions: number;
  /** Longer ones cannot be computed at all: positions are learned. Default false. */
  readonly hasFixedPositions?: boolean;
  /** Parameter whose rows are the token embeddings, [V, D]. */
  readonly embedding: ParameterSpec;
  /** What becomes of embeddings that were looked up. Default nothing. */
  readonly embeddingReading?: RowReading;
  readonly layers: readonly Layer[];
  readonly kinds: Readonly<Record<string, LayerKind>>;
  readonly head: {
    /** Parameters of what comes before the last linear map. */
    readonly parameters: readonly ParameterSpec[];
    /** x [..., D] → [..., D]. */
    normalize(scope: Scope, x: Tensor): Tensor;
    /** Parameter [V, D] that maps to logits; the embedding's own name where the two are tied. */
    readonly weight: ParameterSpec;
    /** What becomes of rows of the weight. Default nothing. */
    readonly reading?: Pick<RowReading, "tensor">;
    /** Where the two are tied: the name that the head's matrix has in files that keep it apart. */
    readonly tiedName?: string;
    /** Logits z become softcap · tanh(z / softcap). */
    readonly softcap?: number;
  };
  /** Cache of each layer; undefined for layers that leave nothing. */
  readonly caches: readonly (CacheSpec | undefined)[];
  /** Tables for positions 0 … length - 1. */
  tables(length: number): Readonly<Record<string, HostTensor>>;
  /** Sequences longer than this have other tables from their first position on (LongRoPE): what is cached is void then. */
  readonly tablesChangeAfter?: number;
  /** Linear maps that adapters attach to when nothing else is said, by the last part of their name. */
  readonly peftTargets: readonly string[];
  /** Prefix of parameter names that checkpoints of the model without its head leave out (GPT-2's "transformer."). */
  readonly basePrefix?: string;
  /** Contents of the checkpoint's config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Values of parameters by full name. */
export type Parameters = ReadonlyMap<string, HostTensor>;

/** Parameters of all layers under their full names. */
export function layerSpecs(model: LanguageModel): ParameterSpec[] {
  return model.layers.flatMap(({ kind, prefix }) =>
    model.kinds[kind]!.parameters.map((spec) => ({ ...spec, name: prefix + spec.name })),
  );
}

/** Every parameter of a model under its full name, in the order of computation. */
export function parameterSpecs(model: LanguageModel): ParameterSpec[] {
  const ofLayers = layerSpecs(model);
  const untied = model.head.weight.name === model.embedding.name ? [] : [model.head.weight];
  return [model.embedding, ...ofLayers, ...model.head.parameters, ...untied];
}

/** @throws CapacityError when sequences of so many tokens cannot be computed. */
export function checkLength({ family, maxPositions, hasFixedPositions }: LanguageModel, time: number): void {
  if (hasFixedPositions && time > maxPositions) {
    throw new CapacityError(
      `${time} tokens, but this ${family} model has learned ${maxPositions} positions; cut the text`,
    );
  }
}

/** Number of scalar parameters. */
export function countParameters(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** Initial values; each parameter draws from a stream of its own, so that adding one does not change the others. */
export function initialize(specs: readonly ParameterSpec[], seed: number): Map<string, HostTensor> {
  return new Map(
    specs.map(({ name, shape, init }) => {
      const tensor = zeros("float32", shape);
      const data = tensor.data as Float32Array;
      if ("fill" in init) data.fill(init.fill);
      else fillNormal(data, init.std, new Rng(deriveSeed(seed, name)));
      return [name, tensor] as const;
    }),
  );
}

function fillNormal(data: Float32Array, std: number, rng: Rng): void {
  for (let i = 0; i < data.length; i++) data[i] = std * rng.normal();
}
