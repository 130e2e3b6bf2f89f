/** @file Heads of BERT and its relatives: masked tokens, a class per sequence, a class per token. */

import { add, matmul, reshape, slice, type Tensor } from "../graph/index.js";
import type { EncoderHead } from "../nn/encoder.js";
import { type ActivationName, activations, layerNormOf, type ParameterSpec } from "../nn/index.js";
import { linearSpecs, type PostNormShape, wordEmbedding } from "./bert-layer.js";

export const encoderTasks = ["masked-lm", "sequence-classification", "token-classification"] as const;
export type EncoderTask = (typeof encoderTasks)[number];

export interface MaskedLmNames {
  readonly transform: string;
  readonly norm: string;
  readonly bias: string;
  /** Parameter of logits where it is not the word embedding. */
  readonly decoder: string;
}

/** A linear map, an activation and a norm, then the word embeddings as classes (Devlin et al. 2019, section 3.1). */
export function maskedLmHead(
  shape: PostNormShape,
  names: MaskedLmNames,
  { activation, isTied }: { readonly activation: ActivationName; readonly isTied: boolean },
): EncoderHead {
  const { hiddenSize, vocabSize, std, epsilon } = shape;
  const norm = layerNormOf(names.norm, { size: hiddenSize, epsilon });
  const words = wordEmbedding(shape);
  const weight: ParameterSpec = isTied ? words : { ...words, name: names.decoder };
  return {
    level: "token",
    numLabels: vocabSize,
    parameters: [
      ...linearSpecs(names.transform, hiddenSize, hiddenSize, std),
      ...norm.parameters,
      weight,
      { name: names.bias, shape: [vocabSize], init: { fill: 0 } },
    ],
    build: (scope, x) => {
      const h = activations[activation](scope.linear(names.transform).forward(x));
      return add(matmul(norm.forward(scope, h), scope.tensor(weight.name), { transB: true }), scope.tensor(names.bias));
    },
  };
}

export interface SequenceHeadNames {
  /** The linear map before the activation. */
  readonly dense: string;
  readonly classifier: string;
}

export interface SequenceHeadOptions {
  readonly numLabels: number;
  readonly activate: (x: Tensor) => Tensor;
  /** Dropout of the first token's state, and of what the first map makes of it. */
  readonly dropoutBefore: number;
  readonly dropoutAfter: number;
}

/** Classes from the state of the first token. */
export function sequenceHead(
  { hiddenSize, std }: PostNormShape,
  names: SequenceHeadNames,
  { numLabels, activate, dropoutBefore, dropoutAfter }: SequenceHeadOptions,
): EncoderHead {
  return {
    level: "sequence",
    numLabels,
    parameters: [
      ...linearSpecs(names.dense, hiddenSize, hiddenSize, std),
      ...linearSpecs(names.classifier, numLabels, hiddenSize, std),
    ],
    build: (scope, x, { dropout }) => {
      const first = reshape(slice(x, 1, 0, 1), [x.shape[0]!, hiddenSize]);
      const pooled = activate(scope.linear(names.dense).forward(dropout(first, dropoutBefore)));
      return scope.linear(names.classifier).forward(dropout(pooled, dropoutAfter));
    },
  };
}

/** Classes from the state of each token. */
export function tokenHead({ hiddenSize, std }: PostNormShape, numLabels: number, rate: number): EncoderHead {
  return {
    level: "token",
    numLabels,
    parameters: linearSpecs("classifier", numLabels, hiddenSize, std),
    build: (scope, x, { dropout }) => scope.linear("classifier").forward(dropout(x, rate)),
  };
}
