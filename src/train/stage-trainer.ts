/** @file Training of encoders and encoder-decoders: what a batch is to their chains, and steps over it. */

import { ConfigError, DataError, messageOf, TrainingError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import type { SavePolicy } from "../graph/index.js";
import type { Encoder, EncoderDecoder, EncoderHead, Parameters } from "../nn/index.js";
import { encoderFeeds, encoderStages } from "../plan/encoder.js";
import { encoderDecoderFeeds } from "../plan/encoder-decoder.js";
import { type EncoderBatch, lossChain, lossStage, type Stage, StagePlan, shiftRight } from "../plan/index.js";
import { SEED } from "../plan/stage-plan.js";
import type { Feeds, Runtime } from "../runtime/index.js";
import { clipScale } from "./algorithms/clip.js";
import { GradientNorm } from "./gradient-norm.js";
import type { StepReport } from "./loop.js";
import { learningRateAt, Optimizer, type OptimizerRule, type Schedule } from "./optim/index.js";
import { type RunFolder, resumeRun, saveRun, TensorState } from "./run-folder.js";

export interface StageTrainOptions {
  readonly steps: number;
  readonly optimizer: OptimizerRule;
  readonly schedule: Schedule;
  /** Seed of dropout. */
  readonly seed: number;
  /** Micro-batches per step; the step follows the mean of their gradients. Default 1. */
  readonly accumulate?: number;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Gradients longer than this are scaled down to it; null, the default, leaves them. */
  readonly clipNorm?: number | null;
  /** Steps between evaluations; 0, the default, evaluates at the start and the end only. */
  readonly evaluateEvery?: number;
  /** Default: every parameter that the chain reads. */
  readonly isTrainable?: (name: string) => boolean;
  /** What is kept for the backward pass. Default all. */
  readonly save?: SavePolicy;
}

export interface StageTrainContext {
  readonly runtime: Runtime;
  /** The last stage has one output, `loss`. */
  readonly stages: readonly Stage[];
  /** Updated in place. */
  readonly parameters: Parameters;
  /** Where checkpoints go, and where a run that was stopped goes on from. */
  readonly folder?: RunFolder;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
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

export type StageTrainEvent =
  | (Omit<StepReport, "tokens" | "gradientNorm"> & { readonly gradientNorm: number })
  | { readonly type: "evaluation"; readonly step: number; readonly value: number }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };

export interface StageTrainSummary {
  readonly steps: number;
  readonly reason: "finished" | "aborted";
  /** What `evaluate` gave before the first step and after the last one. */
  readonly before?: number;
  readonly after?: number;
}

/**
 * Trains in place and reports as it goes; the parameters of the last step remain.
 * @throws TrainingError naming the step when loss or gradient stop being numbers.
 * @throws DataError when a batch does not give what the chain reads; ConfigError when nothing is trainable, a number is
 * out of range, or the folder belongs to another run.
 */
export async function* trainStages(
  context: StageTrainContext,
  work: StageTrainWork,
  options: StageTrainOptions,
): AsyncGenerator<StageTrainEvent, StageTrainSummary> {
  const { folder, signal } = context;
  const { steps, evaluateEvery = 0 } = options;
  const trainer = await StageTrainer.create(context, work, options);
  try {
    const progress = await resumeRun(folder, trainer.state);
    if (work.evaluate && progress.before === undefined) {
      progress.before = await work.evaluate();
      yield { type: "evaluation", step: 0, value: progress.before };
    }
    const isAborted = (): boolean => signal?.aborted ?? false;
    while (progress.step < steps && !isAborted()) {
      yield await trainer.step(progress.step);
      progress.step++;
      const isLast = progress.step === steps || isAborted();
      const isDue = (every: number): boolean => isLast || (every > 0 && progress.step % every === 0);
      if (work.evaluate && !isAborted() && isDue(evaluateEvery)) {
        progress.after = await work.evaluate();
        yield { type: "evaluation", step: progress.step, value: progress.after };
      }
      if (folder && isDue(folder.every)) {
        yield { type: "checkpoint", step: progress.step, path: await saveRun(folder, progress, trainer.state) };
      }
    }
    const { step, before, after } = progress;
    return {
      steps: step,
      reason: step >= steps ? "finished" : "aborted",
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    };
  } finally {
    trainer.close();
  }
}

/** What one step needs: plan, norm, optimiser. */
class StageTrainer {
  private constructor(
    private readonly plan: StagePlan,
    private readonly norm: GradientNorm,
    readonly state: TensorState,
    private readonly work: StageTrainWork,
    private readonly options: StageTrainOptions & { readonly accumulate: number },
  ) {}

  static async create(
    { runtime, stages, parameters }: StageTrainContext,
    work: StageTrainWork,
    options: StageTrainOptions,
  ): Promise<StageTrainer> {
    const { steps, accumulate = 1, isTrainable = () => true, save = "all", weightDecay = 0 } = options;
    for (const [name, value] of Object.entries({ steps, accumulate })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new ConfigError(`training: ${name} must be a whole number from 1 on, got ${value}`);
      }
    }
    const plan = await StagePlan.create(runtime, stages, parameters, { save, isTrainable });
    const optimizer = await Optimizer.create(runtime, options.optimizer, { weightDecay });
    const norm = await GradientNorm.create(runtime);
    const state = TensorState.of(parameters, (name) => plan.gradients.has(name), optimizer);
    return new StageTrainer(plan, norm, state, work, { ...options, accumulate });
  }

  /** Takes step `index`, counted from 0. */
  async step(index: number): Promise<StageTrainEvent> {
    const learningRate = learningRateAt(this.options.schedule, index);
    try {
      const { loss, gradientNorm } = await this.#update(index, learningRate);
      return { type: "step", step: index + 1, loss, learningRate, gradientNorm };
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
      throw new TrainingError(
        `step ${index + 1}: ${messageOf(error)}; a lower learning rate than ${learningRate} or a longer warm-up may help`,
        { cause: error },
      );
    }
  }

  async #update(index: number, learningRate: number): Promise<{ loss: number; gradientNorm: number }> {
    const { accumulate, seed, clipNorm = null } = this.options;
    const { parameters, optimizer } = this.state;
    let loss = 0;
    for (let i = 0; i < accumulate; i++) {
      fill(this.plan.feeds, this.work.batch(index * accumulate + i));
      const ofDropout = deriveSeed(seed, `step ${index} micro-batch ${i}`);
      loss += (await this.plan.run({ accumulate: i > 0, seed: ofDropout })) / accumulate;
    }
    const gradientNorm = (await this.norm.of(this.plan.gradients.values())) / accumulate;
    if (!Number.isFinite(gradientNorm)) throw new TrainingError(`the gradient's length is ${gradientNorm}`);
    optimizer.begin({ step: index, learningRate, gradientScale: clipScale(gradientNorm, clipNorm) / accumulate });
    for (const [name, gradient] of this.plan.gradients) {
      await optimizer.update(name, parameters.get(name)!, gradient);
    }
    return { loss, gradientNorm };
  }

  close(): void {
    this.plan.close();
    this.norm.close();
    this.state.optimizer.close();
  }
}

/** Copies a batch into the buffers that the plan reads. @throws DataError when names or shapes are not those it has. */
function fill(buffers: Readonly<Record<string, HostTensor>>, batch: Feeds): void {
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
