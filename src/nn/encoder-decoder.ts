/** @file What an encoder-decoder is to everything that runs one: an encoder, and layers that read its result. */

import type { HostTensor } from "../base/host-tensor.js";
import type { Aval, Dim, Tensor } from "../graph/index.js";
import type { DropoutContext, Encoder, EncoderAttention } from "./encoder.js";
import type { Layer, ParameterSpec, Scope } from "./model.js";

/** Queries of one layer against the keys and values that it made of the encoder's result. q [B, T, H·C]. */
export type MemoryAttention = Omit<EncoderAttention, "k" | "v" | "bias">;

/** What surrounds a decoder's layer: supplied by whoever runs it, so that a layer knows neither tiles nor caches. */
export interface DecoderContext extends DropoutContext {
  /** What the stem gives to all layers besides hidden states, by name. */
  readonly shared: Readonly<Record<string, Tensor>>;
  /** Attention to this and earlier positions, under the request's bias → [B, T, H·C]. */
  attend(request: EncoderAttention): Tensor;
  /** Attention to the encoder's result → [B, T, H·C]. */
  attendMemory(request: MemoryAttention): Tensor;
}

export interface DecoderLayerKind {
  readonly parameters: readonly ParameterSpec[];
  readonly numHeads: number;
  readonly headDim: number;
  /** Encoder's result [B, S, D] → keys and values [B, S, H·C]: computed once per text, whatever is generated. */
  memory(scope: Scope, encoded: Tensor): { readonly k: Tensor; readonly v: Tensor };
  /** x [B, T, D] → [B, T, D]. */
  build(scope: Scope, x: Tensor, context: DecoderContext): Tensor;
}

/** A constant of scores: the last `numQueries` positions against all `numKeys` so far. */
export interface ScoreTable {
  aval(numQueries: Dim, numKeys: Dim): Aval;
  values(numQueries: number, numKeys: number): HostTensor;
}

export interface Decoder {
  readonly stem: {
    /** Parameters by full name. */
    readonly parameters: readonly ParameterSpec[];
    /**
     * ids [B, T] int64 → `x` [B, T, D], and whatever all layers share. `visible` [T, keys] bool says which keys are not in
     * the future; scores of the others must be left out by the bias that the layers ask for.
     */
    build(
      scope: Scope,
      inputs: { readonly ids: Tensor; readonly visible: Tensor; readonly tables: Readonly<Record<string, Tensor>> },
      context: DropoutContext,
    ): Readonly<Record<string, Tensor>> & { x: Tensor };
  };
  readonly layers: readonly Layer[];
  readonly kinds: Readonly<Record<string, DecoderLayerKind>>;
  readonly head: {
    /** Parameters by full name; a tied table has the embedding's name. */
    readonly parameters: readonly ParameterSpec[];
    /** x [..., D] → logits [..., V]. */
    build(scope: Scope, x: Tensor, context: DropoutContext): Tensor;
  };
  readonly tables: Readonly<Record<string, ScoreTable>>;
}

export interface EncoderDecoder {
  /** Family by its registry key. */
  readonly family: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  /** What the decoder reads before its first token. */
  readonly startToken: number;
  /** What stands for positions without a token. */
  readonly padToken: number;
  /** What ends a text; none where the config names none. */
  readonly endTokens: readonly number[];
  /** Contents of the checkpoint's config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Parameters of the decoder under their full names; those that the encoder has too are named again. */
export function decoderParameters({ stem, layers, kinds, head }: Decoder): ParameterSpec[] {
  const ofLayers = layers.flatMap(({ kind, prefix }) =>
    kinds[kind]!.parameters.map((spec) => ({ ...spec, name: prefix + spec.name })),
  );
  return [...stem.parameters, ...ofLayers, ...head.parameters];
}
