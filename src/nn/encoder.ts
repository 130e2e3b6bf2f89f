/** @file What an encoder is to everything that runs one: a stem, layers that see a whole sequence, and heads on top. */

import type { HostTensor } from "../base/host-tensor.js";
import type { Aval, Dim, Tensor } from "../graph/index.js";
import type { Layer, ParameterSpec, Scope } from "./model.js";

/** Queries, keys and values of one layer, [B, T, H·C] each. */
export interface EncoderAttention {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly numHeads: number;
  readonly headDim: number;
  readonly scale: number;
  /** Added to the scores, [1, H, T, T]. */
  readonly bias?: Tensor;
  /** Dropout of the probabilities while training. Default 0. */
  readonly dropout?: number;
}

/** Dropout while training, x itself otherwise. Every call draws a mask of its own. */
export interface DropoutContext {
  dropout(x: Tensor, rate: number): Tensor;
}

/** What surrounds an encoder's layer: supplied by whoever runs it. */
export interface EncoderContext extends DropoutContext {
  /** What the stem gives to all layers besides hidden states, by name. */
  readonly shared: Readonly<Record<string, Tensor>>;
  /** Attention of each position to all that are not padding → [B, T, H·C]. */
  attend(request: EncoderAttention): Tensor;
}

export interface EncoderLayerKind {
  readonly parameters: readonly ParameterSpec[];
  /** x [B, T, D] → [B, T, D]. */
  build(scope: Scope, x: Tensor, context: EncoderContext): Tensor;
}

export interface StemInputs {
  /** Token ids, [B, T] int64. */
  readonly ids: Tensor;
  /** Rows of the position table, [B, T] int64; absent where the encoder has none. */
  readonly positions?: Tensor;
  /** Which text of a pair a token belongs to, [B, T] int64; absent where the encoder has no token types. */
  readonly tokenTypes?: Tensor;
  readonly tables: Readonly<Record<string, Tensor>>;
}

/** Tokens → hidden states. */
export interface Stem {
  /** Parameters by full name. */
  readonly parameters: readonly ParameterSpec[];
  /** `x` [B, T, D], and whatever all layers share (a bias of scores). */
  build(scope: Scope, inputs: StemInputs, context: DropoutContext): Readonly<Record<string, Tensor>> & { x: Tensor };
}

/** A constant that depends on the sequence's length alone. */
export interface LengthTable {
  aval(time: Dim): Aval;
  values(time: number): HostTensor;
}

export interface Encoder {
  /** Family by its registry key. */
  readonly family: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Longest sequence, in tokens. */
  readonly maxPositions: number;
  /** 0 where tokens have no types. */
  readonly numTokenTypes: number;
  readonly stem: Stem;
  readonly layers: readonly Layer[];
  readonly kinds: Readonly<Record<string, EncoderLayerKind>>;
  /** What comes after the last layer; its parameters by full name. */
  readonly final?: EncoderLayerKind;
  /** Rows of the position table for ids [B · T]; absent where positions are relative. */
  positions?(ids: ArrayLike<number>, time: number): Int32Array;
  readonly tables: Readonly<Record<string, LengthTable>>;
  /** Contents of the checkpoint's config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What is predicted from hidden states. */
export interface EncoderHead {
  /** Parameters by full name; a tied one has the encoder's own name. */
  readonly parameters: readonly ParameterSpec[];
  /** One prediction per token, or one per sequence. */
  readonly level: "token" | "sequence";
  readonly numLabels: number;
  /** x [B, T, D] → logits [B, T, K] per token or [B, K] per sequence. */
  build(scope: Scope, x: Tensor, context: DropoutContext): Tensor;
}

/** Every parameter of an encoder under its full name, in the order of computation. */
export function encoderParameters({ stem, layers, kinds, final }: Encoder): ParameterSpec[] {
  const ofLayers = layers.flatMap(({ kind, prefix }) =>
    kinds[kind]!.parameters.map((spec) => ({ ...spec, name: prefix + spec.name })),
  );
  return [...stem.parameters, ...ofLayers, ...(final?.parameters ?? [])];
}
