/** @file Sentence embeddings: an encoder's chain with pooling at its end, for inference and as the start of a loss. */

import { ConfigError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { broadcastTo, constant, graph, matmul, scalar, slice } from "../graph/index.js";
import type { Encoder } from "../nn/encoder.js";
import type { Parameters } from "../nn/index.js";
import { type Pooling, pool, unitLength } from "../nn/pooling.js";
import type { Runtime } from "../runtime/index.js";
import { anyShape, type EncoderBatch, type EncoderShape, encodedName, encoderFeeds, encoderStages } from "./encoder.js";
import { crossEntropyOfLogits } from "./encoder-heads.js";
import { runStages, type Stage } from "./stages.js";

/** Name of the embeddings [B, D · number of modes]. */
export const EMBEDDINGS = "embeddings";

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
 * second half, row i + B/2, among all of them: mean of -log softmax(scale · cosine) (in-batch negatives, Henderson et al.
 * 2017, arXiv:1705.00652, section 4). `scale` 20 is sentence-transformers' default. For a `StagePlan`.
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
    const unit = unitLength(rows);
    const [queries, partners] = [slice(unit, 0, 0, pairs), slice(unit, 0, pairs, shape.batch)];
    const logits = matmul(queries, partners, { transB: true, scale });
    const own = constant(
      hostTensor(
        "int64",
        [pairs],
        BigInt64Array.from({ length: pairs }, (_, i) => BigInt(i)),
      ),
    );
    return { loss: crossEntropyOfLogits(logits, own, broadcastTo(scalar(1 / pairs), [pairs])) };
  });
  const end: Stage = { graph: built, parameters: {}, inputs: { embeddings: EMBEDDINGS }, outputs: { loss: "loss" } };
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
