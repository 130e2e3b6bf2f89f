/** @file Sentence embeddings: an encoder's chain with pooling at its end, for inference and as the start of a loss. */

import { ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { graph, mul, reduceSum, slice } from "../graph/index.js";
import type { Encoder } from "../nn/encoder.js";
import type { Parameters } from "../nn/index.js";
import { type Pooling, pool } from "../nn/pooling.js";
import type { Runtime } from "../runtime/index.js";
import { anyShape, type EncoderBatch, type EncoderShape, encodedName, encoderFeeds, encoderStages } from "./encoder.js";
import { inBatchLoss } from "./in-batch-loss.js";
import { runStages, type Stage } from "./stages.js";

/** Name of the embeddings [B, D · number of modes]. */
export const EMBEDDINGS = "embeddings";
/** Name of their gradients, which `cotangentChain` is fed. */
export const COTANGENT = "cotangent";

/** The chain from token ids to `embeddings`. Make it once where many batches are to come. */
export function embeddingChain(encoder: Encoder, pooling: Pooling, shape: EncoderShape = anyShape): Stage[] {
  const { batch, time } = shape;
  const inputs = {
    x: { dtype: "float32", shape: [batch, time, encoder.hiddenSize] },
    mask: { dtype: "bool", shape: [batch, time] },
  } as const;
  const end: Stage = {
    graph: graph(`${encoder.family}.pooling`, inputs, ({ x, mask }) => ({ y: pool(x, mask, pooling) })),
    parameters: {},
    inputs: { x: encodedName(encoder), mask: "mask" },
    outputs: { y: EMBEDDINGS },
  };
  return [...encoderStages(encoder, shape), end];
}

/**
 * The chain to `loss`, by which embeddings are trained: each of the first half of the batch must find its partner in the
 * second half, row i + B/2, among all of them (`inBatchLoss`). For a `StagePlan`.
 * @throws ConfigError for a batch that does not consist of pairs.
 */
export function contrastiveChain(
  encoder: Encoder,
  pooling: Pooling,
  shape: EncoderShape & { readonly batch: number },
  scale = 20,
): Stage[] {
  const pairs = shape.batch / 2;
  if (!Number.isInteger(pairs)) throw new ConfigError(`contrastive loss: ${shape.batch} rows do not make pairs`);
  const width = encoder.hiddenSize * pooling.modes.length;
  const embeddings = { dtype: "float32", shape: [shape.batch, width] } as const;
  const built = graph("contrastive", { embeddings }, ({ embeddings: rows }) => {
    const [queries, partners] = [slice(rows, 0, 0, pairs), slice(rows, 0, pairs, shape.batch)];
    return { loss: inBatchLoss(queries, partners, { scale }) };
  });
  const end: Stage = { graph: built, parameters: {}, inputs: { embeddings: EMBEDDINGS }, outputs: { loss: "loss" } };
  return [...embeddingChain(encoder, pooling, shape), end];
}

/**
 * The chain to `loss` = Σ embeddings · cotangent, whose gradients by the parameters are those of any function of the
 * embeddings with these gradients (GradCache, Gao et al. 2021, arXiv:2101.06983, section 3.2). `cotangent` is fed.
 */
export function cotangentChain(
  encoder: Encoder,
  pooling: Pooling,
  shape: EncoderShape & { readonly batch: number },
): Stage[] {
  const rows = { dtype: "float32", shape: [shape.batch, encoder.hiddenSize * pooling.modes.length] } as const;
  const built = graph("cotangent", { embeddings: rows, cotangent: rows }, ({ embeddings, cotangent }) => ({
    loss: reduceSum(mul(embeddings, cotangent), [0, 1]),
  }));
  const end: Stage = {
    graph: built,
    parameters: {},
    inputs: { embeddings: EMBEDDINGS, cotangent: COTANGENT },
    outputs: { loss: "loss" },
  };
  return [...embeddingChain(encoder, pooling, shape), end];
}

/** One vector per sequence, [B, D]. */
export async function embed(
  runtime: Runtime,
  encoder: Encoder,
  parameters: Parameters,
  batch: EncoderBatch,
  pooling: Pooling | { readonly stages: readonly Stage[] },
): Promise<HostTensor> {
  const stages = "stages" in pooling ? pooling.stages : embeddingChain(encoder, pooling);
  return (await runStages(runtime, stages, parameters, encoderFeeds(encoder, batch), [EMBEDDINGS]))[EMBEDDINGS]!;
}
