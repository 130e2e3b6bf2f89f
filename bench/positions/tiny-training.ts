/** @file Training and measuring a tiny decoder on real text, the same way for all that are compared. */

import { existsSync, readFileSync } from "node:fs";
import { initialize, type LanguageModel, type Parameters, parameterSpecs } from "../../src/nn/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { trainByteLevelBpe } from "../../src/tokenizers/index.js";
import {
  adamw,
  Evaluation,
  type PackedDataset,
  packDocuments,
  type Schedule,
  type TrainOptions,
  train,
} from "../../src/train/index.js";
import type { TinyShape } from "./tiny-decoder.js";

const folder = new URL("../../../shared/data/data-wikitext2/", import.meta.url);

/** Whether the text is there: WikiText-2's validation part to train on, its test part to measure on. */
export const hasText = existsSync(new URL("test.txt", folder));

const HELD_OUT_TOKENS = 2 ** 16;

/** 0.86 million parameters. */
export const tinyShape: TinyShape = { vocabSize: 512, hiddenSize: 128, numLayers: 4, numHeads: 4, time: 256 };

export interface Corpus {
  readonly ids: Int32Array;
  /** As many targets as fill rows of any power of two. */
  readonly heldOut: Int32Array;
}

/** Tokens of a byte-level BPE that was trained on the first part. */
export function readCorpus(): Corpus {
  const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  const text = read("valid.txt");
  const tokenizer = trainByteLevelBpe([text], { vocabSize: tinyShape.vocabSize });
  return { ids: tokenizer.encode(text), heldOut: tokenizer.encode(read("test.txt")).slice(0, HELD_OUT_TOKENS + 1) };
}

/** One thread: matrices of these sizes gain nothing from a second, and lose on a machine that is busy. */
export const openRuntime = (): Promise<Runtime> => Runtime.open({ numThreads: 1 });

/** Rows of one length, each of which starts at position 0 and sees nothing before it. */
export const rowsOf = (ids: Int32Array, time: number): PackedDataset => packDocuments([{ ids }], time);

export interface Training {
  readonly steps: number;
  readonly batchSize: number;
  readonly schedule: Omit<Schedule, "totalSteps">;
  readonly seed: number;
}

/** 614,400 tokens: a little more than one pass over the text. */
export const pretraining = {
  steps: 300,
  batchSize: 8,
  schedule: { name: "cosine", peak: 3e-3, warmupSteps: 15, finalShare: 0.1 },
  seed: 1,
} as const satisfies Training;

/** Sizes of batches and tiles. */
export const common = (model: LanguageModel, batchSize: number) => ({
  batchSize,
  attentionTile: 256,
  lossTile: { rows: 2048, vocabulary: model.vocabSize },
});

/** First weights, which depend on a parameter's name alone: models that are compared share those that they have in common. */
export const firstWeights = (model: LanguageModel) => initialize(parameterSpecs(model), 1);

/** All parameters by AdamW, without evaluations. */
export const optionsOf = (model: LanguageModel, { steps, batchSize, schedule, seed }: Training): TrainOptions => ({
  ...common(model, batchSize),
  steps,
  accumulate: 1,
  save: "all",
  isTrainable: () => true,
  streamGradients: false,
  optimizer: adamw(),
  weightDecay: 0.1,
  schedule: { ...schedule, totalSteps: steps },
  clipNorm: 1,
  seed,
  evaluateEvery: 0,
  patience: null,
});

/** Trains in place with AdamW; gives the mean loss of the last tenth of the steps, in nats. */
export async function trainTiny(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  rows: PackedDataset,
  training: Training,
): Promise<number> {
  const run = train({ runtime, model, parameters }, { train: rows }, optionsOf(model, training));
  const losses: number[] = [];
  for await (const event of run) if (event.type === "step") losses.push(event.loss);
  const last = losses.slice(-Math.ceil(training.steps / 10));
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

/** exp of the mean loss per held-out token, in rows of `time`; every token counts. */
export async function perplexity(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  ids: Int32Array,
  time: number,
): Promise<number> {
  const options = common(model, Math.max(1, 2048 / time));
  const evaluation = await Evaluation.create(runtime, model, parameters, rowsOf(ids, time), options);
  try {
    return Math.exp(await evaluation.loss());
  } finally {
    evaluation.close();
  }
}
