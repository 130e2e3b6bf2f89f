/** @file What BERT and its relatives share: embeddings summed and normalised, and layers that normalise after adding. */

import { ConfigError } from "../base/errors.js";
import { add, equal, gather, reshape, scalar, stopGradient, type Tensor, where } from "../graph/index.js";
import type { Encoder, EncoderLayerKind, Stem } from "../nn/encoder.js";
import {
  type ActivationName,
  activations,
  layerNormOf,
  linearParameters,
  type ParameterSpec,
  type Scope,
} from "../nn/index.js";

/** Names of a layer's parts in a family's checkpoints, without `.weight` and `.bias`. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly norm: string;
}

/** One encoder, whatever its family calls the sizes. */
export interface PostNormShape {
  readonly family: string;
  /** Before every name of the encoder: "bert." in checkpoints with a head, "" in those without. */
  readonly prefix: string;
  readonly layerNames: LayerNames;
  /** Between the prefix and a layer's number. */
  readonly layers: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly wideSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
  /** Rows of the position table. */
  readonly numPositions: number;
  readonly numTokenTypes: number;
  /** Token whose embedding is not trained. */
  readonly padding: number | undefined;
  /** Positions count from `padding + 1` over tokens that are not padding (RoBERTa); otherwise from 0 over all. */
  readonly skipsPadding: boolean;
  readonly dropout: number;
  readonly attentionDropout: number;
  /** Dropout of what attention adds. */
  readonly attentionOutputDropout: number;
  readonly std: number;
  readonly config: Readonly<Record<string, unknown>>;
}

export const linearSpecs = (name: string, outFeatures: number, inFeatures: number, std: number): ParameterSpec[] =>
  linearParameters(name, { inFeatures, outFeatures, bias: true, init: { std } });

export const wordEmbedding = (shape: PostNormShape): ParameterSpec => ({
  name: `${shape.prefix}embeddings.word_embeddings.weight`,
  shape: [shape.vocabSize, shape.hiddenSize],
  init: { std: shape.std },
  matrix: "plain",
});

/** @throws ConfigError when heads do not divide the hidden size. */
export function postNormEncoder(shape: PostNormShape, attention?: SharedBias): Encoder {
  const { hiddenSize, numHeads, prefix, padding } = shape;
  if (hiddenSize % numHeads !== 0) {
    throw new ConfigError(`${shape.family} config: ${numHeads} heads do not divide a hidden size of ${hiddenSize}`);
  }
  const skipped = shape.skipsPadding ? (padding ?? 0) + 1 : 0;
  return {
    family: shape.family,
    vocabSize: shape.vocabSize,
    hiddenSize,
    maxPositions: shape.numPositions - skipped,
    numTokenTypes: shape.numTokenTypes,
    stem: stem(shape, attention),
    layers: Array.from({ length: shape.numLayers }, (_, i) => ({
      kind: "layer",
      prefix: `${prefix}${shape.layers}${i}.`,
    })),
    kinds: { layer: layer(shape) },
    positions: (ids, time) =>
      shape.skipsPadding ? tokenPositions(ids, time, padding ?? 0) : plainPositions(ids, time),
    tables: attention?.tables ?? {},
    config: shape.config,
  };
}

/** A bias of scores that the stem computes for all layers (MPNet). */
export interface SharedBias {
  readonly parameters: readonly ParameterSpec[];
  readonly tables: Encoder["tables"];
  /** → [1, H, T, T]. */
  build(scope: Scope, tables: Readonly<Record<string, Tensor>>): Tensor;
}

const plainPositions = (ids: ArrayLike<number>, time: number): Int32Array =>
  Int32Array.from({ length: ids.length }, (_, i) => i % time);

/** padding + 1, padding + 2, … over the tokens of a row; `padding` itself at padding. */
function tokenPositions(ids: ArrayLike<number>, time: number, padding: number): Int32Array {
  const positions = new Int32Array(ids.length);
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if (i % time === 0) count = 0;
    positions[i] = ids[i] === padding ? padding : padding + ++count;
  }
  return positions;
}

/** table [N, D], ids [B, T] → [B, T, D]; no gradient flows to the row of padding (PyTorch's padding_idx). */
function lookup(table: Tensor, ids: Tensor, padding: number | undefined): Tensor {
  const found = gather(table, ids);
  if (padding === undefined) return found;
  const isPadding = reshape(equal(ids, scalar(padding, "int64")), [...ids.shape, 1]);
  return where(isPadding, stopGradient(found), found);
}

function stem(shape: PostNormShape, attention: SharedBias | undefined): Stem {
  const { prefix, hiddenSize, std, numTokenTypes, padding, epsilon } = shape;
  const at = (name: string): string => `${prefix}embeddings.${name}`;
  const table = (name: string, rows: number): ParameterSpec => ({
    name: at(name),
    shape: [rows, hiddenSize],
    init: { std },
    matrix: "plain",
  });
  const norm = layerNormOf(at("LayerNorm"), { size: hiddenSize, epsilon });
  return {
    parameters: [
      wordEmbedding(shape),
      table("position_embeddings.weight", shape.numPositions),
      ...(numTokenTypes > 0 ? [table("token_type_embeddings.weight", numTokenTypes)] : []),
      ...norm.parameters,
      ...(attention?.parameters ?? []),
    ],
    build: (scope, { ids, positions, tokenTypes, tables }, { dropout }) => {
      const words = lookup(scope.tensor(at("word_embeddings.weight")), ids, padding);
      const places = lookup(
        scope.tensor(at("position_embeddings.weight")),
        positions!,
        shape.skipsPadding ? padding : undefined,
      );
      const types = tokenTypes && gather(scope.tensor(at("token_type_embeddings.weight")), tokenTypes);
      const sum = types ? add(add(words, types), places) : add(words, places);
      const x = dropout(norm.forward(scope, sum), shape.dropout);
      return { x, ...(attention && { bias: attention.build(scope, tables) }) };
    },
  };
}

/** Attention and a wide layer, each added to what came in and normalised (Devlin et al. 2019, arXiv:1810.04805, section 3). */
function layer(shape: PostNormShape): EncoderLayerKind {
  const { hiddenSize, wideSize, numHeads, std, epsilon, layerNames: names } = shape;
  const act = activations[shape.activation];
  const norm = layerNormOf(names.norm, { size: hiddenSize, epsilon });
  const attentionNorm = layerNormOf(names.attentionNorm, { size: hiddenSize, epsilon });
  return {
    parameters: [
      ...[names.query, names.key, names.value, names.output].flatMap((name) =>
        linearSpecs(name, hiddenSize, hiddenSize, std),
      ),
      ...attentionNorm.parameters,
      ...linearSpecs(names.up, wideSize, hiddenSize, std),
      ...linearSpecs(names.down, hiddenSize, wideSize, std),
      ...norm.parameters,
    ],
    build: (scope, x, { attend, dropout, shared }) => {
      const attended = attend({
        q: scope.linear(names.query).forward(x),
        k: scope.linear(names.key).forward(x),
        v: scope.linear(names.value).forward(x),
        numHeads,
        headDim: hiddenSize / numHeads,
        scale: (hiddenSize / numHeads) ** -0.5,
        dropout: shape.attentionDropout,
        ...(shared.bias && { bias: shared.bias }),
      });
      const added = dropout(scope.linear(names.output).forward(attended), shape.attentionOutputDropout);
      const middle = attentionNorm.forward(scope, add(added, x));
      const wide = act(scope.linear(names.up).forward(middle));
      const narrow = dropout(scope.linear(names.down).forward(wide), shape.dropout);
      return norm.forward(scope, add(narrow, middle));
    },
  };
}
