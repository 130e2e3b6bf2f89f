/** @file The tuning stage of a pipeline: choose, plan, train, measure, keep. */

import { z } from "zod";
import { assert } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { writeModel } from "../checkpoint/index.js";
import { countParameters, initialize, type LanguageModel, parameterSpecs } from "../nn/index.js";
import { type Adapter, adapterSpecs, attach, createAdapter, merge, saveAdapter } from "../peft/index.js";
import type { Runtime } from "../runtime/index.js";
import {
  adamw,
  type PackedDataset,
  packDocuments,
  stateBytes,
  type TrainEvent,
  type TrainSummary,
  train,
} from "../train/index.js";
import type { Candidate, TextCodec } from "./base-model.js";
import { sha256, type TokenSplit } from "./corpus.js";
import { lockRun } from "./run-lock.js";
import {
  fitShape,
  fitSteps,
  GROWTH_BYTES,
  type MemoryLimits,
  measureStep,
  NUM_EVALUATIONS,
  type TuningBudget,
  type TuningPlan,
  trainableParameters,
  tuningPlanSchema,
} from "./tuning-plan.js";
import { MetricsFile, type Workspace } from "./workspace.js";

export type TuningMethod = "full" | "lora";

export interface TuningData {
  readonly train: PackedDataset;
  readonly heldOut: PackedDataset;
}

/** A candidate with what is trained of it. */
export interface Tunable {
  readonly candidate: Candidate;
  /** The model that is trained: the candidate's, or it with an adapter. */
  readonly model: LanguageModel;
  readonly adapter: Adapter | undefined;
  readonly isTrainable: (name: string) => boolean;
}

/** Prepares a candidate for a method. */
export function tunable(candidate: Candidate, method: TuningMethod): Tunable {
  if (method === "full") return { candidate, model: candidate.model, adapter: undefined, isTrainable: () => true };
  const adapter = createAdapter(candidate.model, { config: { r: 8, lora_alpha: 16 } });
  const model = attach(candidate.model, adapter);
  const own = new Set(adapterSpecs(candidate.model, model).map(({ name }) => name));
  return { candidate, model, adapter, isTrainable: (name) => own.has(name) };
}

/** Parameters to train: the candidate's, and the adapter's at their start. */
function startParameters({ candidate, model }: Tunable, seed: number): Map<string, HostTensor> {
  const added = initialize(adapterSpecs(candidate.model, model), seed);
  return new Map([...candidate.parameters(), ...added]);
}

export const packSplit = (split: TokenSplit, time: number): TuningData => ({
  train: packDocuments(split.train, time),
  heldOut: packDocuments(split.heldOut, time),
});

/** Tokens of training per parameter that a model from scratch should at least see. */
const TOKENS_PER_PARAMETER = 1.5;

/** Floating-point operations per second that no two cores exceed: spares models that cannot be fast enough the trial. */
const HOPEFUL_FLOPS = 2e11;

/** The place of the chosen candidate in the list, and its plan. */
export const chosenTuningSchema = z.object({ index: z.int(), plan: tuningPlanSchema });

export type ChosenTuning = z.infer<typeof chosenTuningSchema>;

/** What the index, its texts and the tokenizer add to a process that makes them as well. Measured. */
const INDEX_BYTES = 48 * 2 ** 20;

/**
 * The first candidate that fits memory and time, with its plan. Speed is measured on the real step. The last candidate is
 * taken whatever its speed.
 * @throws CapacityError when not even the last fits the memory.
 */
export async function chooseTuning(
  runtime: Runtime,
  tunables: readonly Tunable[],
  split: TokenSplit,
  budget: TuningBudget,
  {
    time,
    learningRate,
    seed,
  }: { readonly time: number; readonly learningRate: (model: LanguageModel) => number; readonly seed: number },
): Promise<ChosenTuning> {
  const data = packSplit(split, time);
  const processBytes = process.memoryUsage.rss() + GROWTH_BYTES + INDEX_BYTES;
  for (const [index, candidate] of tunables.entries()) {
    const isLast = index === tunables.length - 1;
    const numParameters = countParameters(parameterSpecs(candidate.model));
    const wanted = TOKENS_PER_PARAMETER * numParameters;
    if (!isLast && (6 * numParameters * wanted) / HOPEFUL_FLOPS > budget.seconds) continue;
    const fitting = fitOrSkip(candidate, time, { ...budget, processBytes }, isLast);
    if (!fitting) continue;
    const msPerStep = await measureStep(runtime, fitting, startParameters(candidate, seed), data.train);
    const { steps, predictedSeconds } = fitSteps(msPerStep, fitting.shape, data.train, data.heldOut, budget.seconds);
    const tokensInTime = ((budget.seconds * 1000) / msPerStep) * fitting.shape.batchSize * time;
    if (!isLast && tokensInTime < wanted) continue;
    const plan = {
      shape: fitting.shape,
      time,
      steps,
      learningRate: learningRate(candidate.model),
      numParameters,
      numTrainable: trainableParameters(fitting.description),
      msPerStep,
      predictedSeconds,
      memory: fitting.memory,
    };
    return { index, plan };
  }
  throw new Error("internal error: the last candidate is always taken");
}

function fitOrSkip({ model, isTrainable }: Tunable, time: number, limits: MemoryLimits, isLast: boolean) {
  const bytes = (shape: readonly number[]): number => stateBytes(adamw(), shape);
  try {
    return fitShape({ model, isTrainable, time, rowsPerStep: 2, stateBytes: bytes, mayStream: true }, limits);
  } catch (error) {
    if (isLast) throw error;
    return undefined;
  }
}

/** What tuning leaves, kept with the run. */
export const tuningResultSchema = z.object({
  summary: z.object({
    steps: z.int(),
    reason: z.enum(["finished", "early stop", "ended", "aborted"]),
    before: z.number(),
    after: z.number(),
    best: z.object({ step: z.int(), loss: z.number() }),
  }),
  seconds: z.number(),
  tokensPerSecond: z.number(),
});

export type TuningResult = z.infer<typeof tuningResultSchema>;

/** Trains, or goes on training, in a run's folder; writes the tuned model, merged, and its adapter where there is one. */
export async function* tune(
  runtime: Runtime,
  workspace: Workspace,
  key: string,
  what: { readonly tunable: Tunable; readonly plan: TuningPlan; readonly codec: TextCodec; readonly split: TokenSplit },
  { seed, signal, finish }: { readonly seed: number; readonly signal?: AbortSignal; readonly finish?: AbortSignal },
): AsyncGenerator<TrainEvent, TuningResult> {
  const { tunable: target, plan, codec, split } = what;
  using _lock = await lockRun(workspace.path("runs", key));
  const parameters = startParameters(target, seed);
  const metrics = new MetricsFile(workspace.path("runs", key, "metrics.jsonl"));
  const folder = {
    root: workspace.path("runs", key, "checkpoints"),
    every: Math.max(1, Math.ceil(10_000 / plan.msPerStep)),
    keep: 1,
    fingerprint: sha256(key, JSON.stringify(plan)),
  };
  const signals = { ...(signal && { signal }), ...(finish && { finish }) };
  const context = { runtime, model: target.model, parameters, folder, ...signals };
  const run = train(context, packSplit(split, plan.time), trainOptions(plan, target, seed));
  const start = performance.now();
  let tokens = 0;
  let trainingMs = 0;
  for (;;) {
    const began = performance.now();
    const next = await run.next();
    if (next.done) {
      const seconds = (performance.now() - start) / 1000;
      if (next.value.reason !== "aborted") await keep(workspace, key, target, codec, parameters);
      return finished(next.value, seconds, tokens / Math.max(trainingMs / 1000, 1e-9));
    }
    const event = next.value;
    const ms = performance.now() - began;
    if (event.type === "step") {
      tokens += event.tokens;
      trainingMs += ms;
    }
    await metrics.append({ ...event, ms, rssBytes: process.memoryUsage.rss() });
    yield event;
  }
}

/** With held-out text there is an evaluation before the first step. */
function finished(
  { before, after, best, ...rest }: TrainSummary,
  seconds: number,
  tokensPerSecond: number,
): TuningResult {
  assert(before !== undefined, "a run with held-out text is evaluated");
  const last = after ?? before;
  return { summary: { ...rest, before, after: last, best: best ?? { step: 0, loss: last } }, seconds, tokensPerSecond };
}

function trainOptions(plan: TuningPlan, { isTrainable }: Tunable, seed: number) {
  const { shape, steps, learningRate } = plan;
  return {
    ...shape,
    steps,
    accumulate: 1,
    isTrainable,
    optimizer: adamw(),
    weightDecay: 0.1,
    schedule: {
      name: "cosine" as const,
      peak: learningRate,
      warmupSteps: Math.ceil(steps / 20),
      totalSteps: steps,
      finalShare: 0.05,
    },
    clipNorm: shape.streamGradients ? null : 1,
    seed,
    evaluateEvery: Math.max(1, Math.ceil(steps / NUM_EVALUATIONS)),
    patience: 2,
  };
}

/** Writes the adapter, merges it, and writes the whole model. */
async function keep(
  workspace: Workspace,
  key: string,
  { candidate, adapter, model }: Tunable,
  codec: TextCodec,
  parameters: Map<string, HostTensor>,
): Promise<void> {
  if (adapter) {
    await saveAdapter(workspace.path("runs", key, "adapter"), candidate.model, adapter, parameters);
    merge(candidate.model, adapter, parameters);
    for (const { name } of adapterSpecs(candidate.model, model)) parameters.delete(name);
  }
  await writeModel(workspace.path("runs", key, "model"), {
    config: candidate.config,
    tensors: parameters,
    files: codec.files,
  });
}
