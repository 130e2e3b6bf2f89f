/** @file What a language model is to everything that runs one: parameters by name, and layers as functions of tensors. */

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
}

/** A linear map as layers and PEFT methods see it, whatever kernel is behind it. */
export interface LinearHandle {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor;
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
}

/** A layer's parameters and its function. Layers of one kind differ only in the values of their parameters. */
export interface LayerKind {
  readonly parameters: readonly ParameterSpec[];
  /** x [B, T, D] → [B, T, D]. */
  build(scope: Scope, x: Tensor, context: LayerContext): Tensor;
}

/** One layer of a model: parameter names are `prefix` + local name. */
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

export interface LanguageModel {
  /** Family by its registry key. */
  readonly family: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Longest sequence the model was made for. */
  readonly maxPositions: number;
  /** Parameter whose rows are the token embeddings, [V, D]. */
  readonly embedding: ParameterSpec;
  readonly layers: readonly Layer[];
  readonly kinds: Readonly<Record<string, LayerKind>>;
  readonly head: {
    /** Parameters of what comes before the last linear map. */
    readonly parameters: readonly ParameterSpec[];
    /** x [..., D] → [..., D]. */
    normalize(scope: Scope, x: Tensor): Tensor;
    /** Parameter [V, D] that maps to logits; the embedding's own name where the two are tied. */
    readonly weight: ParameterSpec;
  };
  /** Cache of each layer. */
  readonly caches: readonly CacheSpec[];
  /** Tables for positions 0 … length - 1. */
  tables(length: number): Readonly<Record<string, HostTensor>>;
  /** Linear maps that adapters attach to when nothing else is said, by the last part of their name. */
  readonly peftTargets: readonly string[];
  /** Contents of the checkpoint's config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Values of parameters by full name. */
export type Parameters = ReadonlyMap<string, HostTensor>;

/** Every parameter of a model under its full name, in the order of computation. */
export function parameterSpecs(model: LanguageModel): ParameterSpec[] {
  const ofLayers = model.layers.flatMap(({ kind, prefix }) =>
    model.kinds[kind]!.parameters.map((spec) => ({ ...spec, name: prefix + spec.name })),
  );
  const untied = model.head.weight.name === model.embedding.name ? [] : [model.head.weight];
  return [model.embedding, ...ofLayers, ...model.head.parameters, ...untied];
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
