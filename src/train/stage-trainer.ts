/** @file Training of encoders and encoder-decoders: what a batch is to their chains, and steps over it. */

import { DataError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import type { SavePolicy } from "../graph/index.js";
import type { Encoder, EncoderDecoder, EncoderHead } from "../nn/index.js";
import { encoderFeeds, encoderStages } from "../plan/encoder.js";
import { encoderDecoderFeeds } from "../plan/encoder-decoder.js";
import { type EncoderBatch, lossChain, lossStage, type Stage, StagePlan, shiftRight } from "../plan/index.js";
import { SEED } from "../plan/stage-plan.js";
import type { Feeds } from "../runtime/index.js";
import {
  checkCounts,
  type GradientSource,
  type GradientTrainContext,
  type GradientTrainOptions,
  type StageTrainEvent,
  type StageTrainSummary,
  trainByGradients,
} from "./gradient-loop.js";

export interface StageTrainOptions extends GradientTrainOptions {
  /** Micro-batches per step; the step follows the mean of their gradients. Default 1. */
  readonly accumulate?: number;
  /** Default: every parameter that the chain reads. */
  readonly isTrainable?: (name: string) => boolean;
  /** What is kept for the backward pass. Default all. */
  readonly save?: SavePolicy;
}

export interface StageTrainContext extends GradientTrainContext {
  /** The last stage has one output, `loss`. */
  readonly stages: readonly Stage[];
}

export interface StageTrainWork {
  /**
   * Values of the chain's leaves, seeds of dropout aside, for micro-batch `index` of the run, counted from 0. A run that
   * goes on from a checkpoint is the same as one that never stopped if they depend on the index alone.
   */
  batch(index: number): Feeds;
  /** A figure of the parameters as they are: accuracy, held-out loss. */
  evaluate?(): Promise<number>;
}

/**
 * Trains a chain by `trainByGradients`, over micro-batches of one shape.
 * @throws DataError when a batch does not give what the chain reads; ConfigError when nothing is trainable.
 */
export async function* trainStages(
  context: StageTrainContext,
  work: StageTrainWork,
  options: StageTrainOptions,
): AsyncGenerator<StageTrainEvent, StageTrainSummary> {
  const { runtime, stages, parameters } = context;
  const { accumulate = 1, isTrainable = () => true, save = "all" } = options;
  checkCounts({ steps: options.steps, accumulate });
  const plan = await StagePlan.create(runtime, stages, parameters, { save, isTrainable });
  const source: GradientSource = {
    gradients: plan.gradients,
    async step(index, seed) {
      let loss = 0;
      for (let i = 0; i < accumulate; i++) {
        fill(plan.feeds, work.batch(index * accumulate + i));
        loss += (await plan.run({ accumulate: i > 0, seed: deriveSeed(seed, `micro-batch ${i}`) })) / accumulate;
      }
      return { loss, scale: 1 / accumulate };
    },
    ...(work.evaluate && { evaluate: () => work.evaluate!() }),
    close: () => plan.close(),
  };
  return yield* trainByGradients(context, source, options);
}

/** Copies a batch into the buffers that the plan reads. @throws DataError when names or shapes are not those it has. */
export function fill(buffers: Readonly<Record<string, HostTensor>>, batch: Feeds): void {
  const names = Object.keys(buffers).filter((name) => !name.startsWith(SEED));
  const wrong = names.find((name) => !batch[name]) ?? Object.keys(batch).find((name) => !names.includes(name));
  if (wrong !== undefined) {
    throw new DataError(
      `training: the chain reads ${names.join(", ")}, but the batch gives ${Object.keys(batch).join(", ")}; "${wrong}" is in one only`,
    );
  }
  for (const name of names) {
    const [to, from] = [buffers[name]!, batch[name]!];
    if (to.dtype !== from.dtype || `${to.shape}` !== `${from.shape}`) {
      throw new DataError(
        `training: "${name}" must be ${to.dtype} [${to.shape}], as the chain was made for, got ${from.dtype} [${from.shape}]; pad rows, or make the chain for these sizes`,
      );
    }
    for (let i = 0; i < from.data.length; i++) to.data[i] = from.data[i]!;
  }
}

/** A chain that ends in a loss, and what its leaves are for a batch of examples. */
export interface StageTask<Example> {
  readonly stages: readonly Stage[];
  /**
   * Values of the leaves; the loss is then the mean over all labels.
   * @throws DataError when there are not as many examples as the chain was made for, or one does not fit.
   */
  feeds(examples: readonly Example[]): Feeds;
}

/** Token ids, with one class for all of them or one per token. A negative class is not to be predicted. */
export interface LabelledSequence {
  readonly ids: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

export interface TaskShape {
  readonly batch: number;
  /** Tokens of a row; shorter ones are padded. */
  readonly time: number;
}

/**
 * Classes of sequences or tokens, as the head has it. Masked language models are trained so too, with ids as labels.
 * Logits of all B · T tokens are computed, so that a batch may have labels anywhere; `lossStage` alone can do with fewer.
 */
export function labellingTask(encoder: Encoder, head: EncoderHead, shape: TaskShape): StageTask<LabelledSequence> {
  const { batch, time } = shape;
  const training = { ...shape, mode: "train" } as const;
  const isToken = head.level === "token";
  return {
    stages: [...encoderStages(encoder, training), lossStage(encoder, head, training, batch * time)],
    feeds: (examples) => {
      checkCount(examples, batch);
      const ids = padRows(
        examples.map((example) => example.ids),
        time,
        Number(encoder.config.pad_token_id ?? 0),
      );
      for (const example of examples) {
        const count = isToken ? example.ids.length : 1;
        if (example.labels.length === count && Array.from(example.labels).every(Number.isInteger)) continue;
        throw new DataError(
          `training: expected ${count} whole numbers as labels for ${example.ids.length} ids, got ${Array.from(example.labels)}`,
        );
      }
      const width = isToken ? time : 1;
      const labels = new Int32Array(batch * width).fill(-1);
      for (const [row, example] of examples.entries()) labels.set(example.labels, row * width);
      const { rows, ...rest } = labelFeeds(labels, head.numLabels);
      return { ...encoderFeeds(encoder, ids), ...rest, ...(isToken && { rows: rows! }) };
    },
  };
}

/** What is read and what is to be written, which ends with the model's end token. */
export interface TextPair {
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/** Text to text, every token of the target predicted from the source and the target's tokens before it. */
export function textToTextTask(
  model: EncoderDecoder,
  shape: TaskShape & { readonly targetTime: number },
): StageTask<TextPair> {
  const { batch, time, targetTime } = shape;
  return {
    stages: lossChain(model, { ...shape, mode: "train" }, batch * targetTime),
    feeds: (examples) => {
      checkCount(examples, batch);
      const padded = (pick: (pair: TextPair) => ArrayLike<number>, length: number): PaddedRows =>
        padRows(examples.map(pick), length, model.padToken);
      const target = padded((pair) => pair.target, targetTime);
      const labels = target.ids.map((id, i) => (target.mask[i] ? id : -1));
      return {
        ...encoderDecoderFeeds(
          model,
          padded((pair) => pair.source, time),
          shiftRight(model, labels, targetTime),
        ),
        ...labelFeeds(labels, model.vocabSize),
      };
    },
  };
}

/** A batch whose rows are filled up at their ends, as encoders take it. */
export interface PaddedRows extends EncoderBatch {
  readonly ids: Int32Array;
  readonly mask: Uint8Array;
}

/** @throws DataError for a row without ids, with more than `time`, or with an id that is not a whole number. */
export function padRows(rows: readonly ArrayLike<number>[], time: number, padToken: number): PaddedRows {
  const ids = new Int32Array(rows.length * time).fill(padToken);
  const mask = new Uint8Array(ids.length);
  for (const [i, row] of rows.entries()) {
    if (row.length === 0 || row.length > time) {
      throw new DataError(`padding: row ${i} has ${row.length} ids, expected 1 to ${time}; cut it or raise the time`);
    }
    const wrong = Array.from(row).find((id) => !Number.isInteger(id));
    if (wrong !== undefined) throw new DataError(`padding: row ${i} has an id ${wrong}, expected whole numbers`);
    ids.set(row, i * time);
    mask.fill(1, i * time, i * time + row.length);
  }
  return { ids, mask, batchSize: rows.length };
}

function checkCount(examples: readonly unknown[], batch: number): void {
  if (examples.length === batch) return;
  throw new DataError(`training: the chain was made for ${batch} examples, got ${examples.length}`);
}

/** Every position with its label; negative ones weigh nothing, the others alike. */
function labelFeeds(labels: Int32Array, numLabels: number): Record<string, HostTensor> {
  const count = labels.reduce((sum, label) => sum + Number(label >= 0), 0);
  const highest = labels.reduce((most, label) => Math.max(most, label), -1);
  if (count === 0 || highest >= numLabels) {
    throw new DataError(
      `training: expected labels from 0 to ${numLabels - 1}, got ${count ? highest : "none that is not negative"}`,
    );
  }
  const shape = [labels.length];
  return {
    rows: hostTensor(
      "int64",
      shape,
      BigInt64Array.from(labels, (_, i) => BigInt(i)),
    ),
    labels: hostTensor(
      "int64",
      shape,
      BigInt64Array.from(labels, (label) => BigInt(Math.max(label, 0))),
    ),
    weights: hostTensor(
      "float32",
      shape,
      Float32Array.from(labels, (label) => Number(label >= 0) / count),
    ),
  };
}
