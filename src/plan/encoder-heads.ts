/** @file Heads on an encoder as the end of its chain: logits for inference, a loss for training. */

import type { HostTensor } from "../base/host-tensor.js";
import {
  type Aval,
  type Dim,
  type Graph,
  gather,
  graph,
  logSoftmax,
  mul,
  mulDims,
  neg,
  reduceSum,
  reshape,
  type Tensor,
  takeAlong,
} from "../graph/index.js";
import type { Encoder, EncoderHead } from "../nn/encoder.js";
import { type Parameters, scopeOf } from "../nn/index.js";
import type { Runtime } from "../runtime/index.js";
import { anyShape, type EncoderBatch, type EncoderShape, encodedName, encoderFeeds, encoderStages } from "./encoder.js";
import { SEED } from "./stage-plan.js";
import { runStages, type Stage } from "./stages.js";
import { dropoutContext, prefixed, seedInput, weightInputs } from "./whole-sequence.js";

/** Σ_n weights[n] · -log softmax(logits)[n, labels[n]]. logits [N, K], labels [N] int64, weights [N] → scalar. */
export function crossEntropyOfLogits(logits: Tensor, labels: Tensor, weights: Tensor): Tensor {
  const column = (x: Tensor): Tensor => reshape(x, [logits.shape[0]!, 1]);
  const picked = takeAlong(logSoftmax(logits), column(labels));
  return neg(reduceSum(mul(picked, column(weights)), [0, 1]));
}

function headInputs(encoder: Encoder, head: EncoderHead, { batch, time, mode }: EncoderShape): Record<string, Aval> {
  return {
    x: { dtype: "float32", shape: [batch, time, encoder.hiddenSize] },
    ...seedInput(mode),
    ...weightInputs(head.parameters),
  };
}

/** From the encoder's result to `logits`. */
export function headStage(encoder: Encoder, head: EncoderHead, shape: EncoderShape): Stage {
  const built = graph(`${encoder.family}.head`, headInputs(encoder, head, shape), (tensors) => ({
    y: head.build(scopeOf(tensors), tensors.x!, dropoutContext(tensors.seed)),
  }));
  return {
    graph: built,
    parameters: prefixed(head.parameters),
    inputs: { x: encodedName(encoder), ...(shape.mode === "train" && { seed: `${SEED}head` }) },
    outputs: { y: "logits" },
  };
}

/**
 * From the encoder's result to `loss`, Σ weights · cross entropy. Per sequence: `labels` and `weights` [B]. Per token:
 * `rows` [N] names the positions (row · T + column) that are predicted, with `labels` and `weights` [N], so that logits
 * exist for those alone: masked language models predict about a seventh of the tokens.
 */
export function lossStage(encoder: Encoder, head: EncoderHead, shape: EncoderShape, numLabelled: Dim): Stage {
  const isToken = head.level === "token";
  const count = isToken ? numLabelled : shape.batch;
  const inputs: Record<string, Aval> = {
    ...headInputs(encoder, head, shape),
    ...(isToken && { rows: { dtype: "int64", shape: [count] } satisfies Aval }),
    labels: { dtype: "int64", shape: [count] },
    weights: { dtype: "float32", shape: [count] },
  };
  const built: Graph = graph(`${encoder.family}.loss`, inputs, (tensors) => {
    const { x, rows } = tensors as Record<string, Tensor>;
    const flat = (h: Tensor): Tensor => reshape(h, [mulDims(shape.batch, shape.time), encoder.hiddenSize]);
    const picked = rows ? reshape(gather(flat(x!), rows), [1, count, encoder.hiddenSize]) : x!;
    const logits = head.build(scopeOf(tensors), picked, dropoutContext(tensors.seed));
    return { loss: crossEntropyOfLogits(reshape(logits, [count, head.numLabels]), tensors.labels!, tensors.weights!) };
  });
  return {
    graph: built,
    parameters: prefixed(head.parameters),
    inputs: {
      x: encodedName(encoder),
      ...(shape.mode === "train" && { seed: `${SEED}head` }),
      ...(isToken && { rows: "rows" }),
      labels: "labels",
      weights: "weights",
    },
    outputs: { loss: "loss" },
  };
}

/** The chain of `predict`: make it once where many batches are to come. */
export const predictionChain = (encoder: Encoder, head: EncoderHead): Stage[] => [
  ...encoderStages(encoder, anyShape),
  headStage(encoder, head, anyShape),
];

/** Logits of a head for a batch: [B, T, K] per token, [B, K] per sequence. */
export async function predict(
  runtime: Runtime,
  encoder: Encoder,
  head: EncoderHead,
  parameters: Parameters,
  batch: EncoderBatch,
  stages: readonly Stage[] = predictionChain(encoder, head),
): Promise<HostTensor> {
  const { logits } = await runStages(runtime, stages, parameters, encoderFeeds(encoder, batch), ["logits"]);
  return logits!;
}
