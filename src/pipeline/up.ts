/** @file The main job: a folder of documents becomes an index and a tuned model, each stage cached by content. */

import { ConfigError } from "../base/errors.js";
import type { Skip } from "../documents/index.js";
import { type WeightFormat, Weights } from "../engine/index.js";
import type { LanguageModel } from "../nn/index.js";
import type { MemoryEstimate } from "../plan/index.js";
import { openModel } from "../presets/load.js";
import { StoreError } from "../retrieval/index.js";
import { Runtime } from "../runtime/index.js";
import { Evaluation, type TrainEvent } from "../train/index.js";
import { baseCandidate, ownCandidates, ownCodec, type TextCodec } from "./base-model.js";
import { type Corpus, readCorpus, sha256, splitTokens, type TokenSplit } from "./corpus.js";
import { type IndexReport, KnowledgeBase } from "./knowledge-base/knowledge-base.js";
import { type SyncingEvent, syncing } from "./knowledge-base/syncing.js";
import {
  type ChosenTuning,
  chooseTuning,
  chosenTuningSchema,
  packSplit,
  type Tunable,
  type TuningMethod,
  type TuningResult,
  tunable,
  tune,
  tuningResultSchema,
} from "./tune.js";
import type { TuningPlan } from "./tuning-plan.js";
import { Workspace } from "./workspace.js";

export interface UpOptions {
  /** Folder of documents, or one document. */
  readonly folder: string;
  /** Checkpoint to tune: a model folder or a llama2.c file. Without it a small model is trained from scratch. */
  readonly base?: string;
  /** Default: all parameters of a model below 20 million, an adapter for larger ones. */
  readonly method?: TuningMethod;
  /** Time for training, in seconds. Default 60. */
  readonly seconds?: number;
  /** Most memory of the process. Default: no limit. */
  readonly memoryBytes?: number;
  /** Weights for serving. Default int8. */
  readonly weights?: WeightFormat;
  readonly seed?: number;
  /** Where index, tokenizer and runs are kept. Default: a place of the folder's own below `.tessera`. */
  readonly workspace?: string;
  /** Stops before the next document or after the current step of training; the same job goes on from what is kept. */
  readonly signal?: AbortSignal;
  /** Ends training for good after the current step; the best parameters are kept. */
  readonly finish?: AbortSignal;
}

/** What another process can be asked to do. */
export type UpRequest = Omit<UpOptions, "signal" | "finish">;

/** What will be done, known before it is. */
export interface UpPlan {
  /** Name of the run's folder below `runs` of the workspace. */
  readonly run: string;
  readonly documents: number;
  readonly skipped: readonly Skip[];
  readonly chunks: number;
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  /** The model and where it comes from. */
  readonly origin: string;
  readonly method: TuningMethod;
  readonly tuning: TuningPlan;
  /** Whether the tuned model of an earlier run with the same inputs is there. */
  readonly isTuned: boolean;
}

export interface UpReport {
  readonly folder: string;
  readonly workspace: string;
  readonly plan: UpPlan;
  readonly index: IndexReport;
  readonly tuning: {
    readonly isCached: boolean;
    readonly summary: TuningResult["summary"];
    readonly seconds: number;
    readonly tokensPerSecond: number;
    /** e^loss per token of held-out text: of the start, of the tuned model, and of its packed weights. */
    readonly perplexityBefore: number;
    readonly perplexityAfter: number;
    readonly perplexityServed: number;
    readonly bitsPerCharacter: number;
  };
  readonly served: { readonly format: WeightFormat; readonly bytes: number; readonly modelFolder: string };
  readonly memory: { readonly predicted: MemoryEstimate; readonly measuredPeakBytes: number };
}

export type UpEvent =
  | SyncingEvent
  | { readonly type: "index"; readonly report: IndexReport; readonly documents: number }
  | { readonly type: "plan"; readonly plan: UpPlan }
  | { readonly type: "train"; readonly event: TrainEvent }
  | { readonly type: "report"; readonly report: UpReport };

/** What serving needs of a finished job. */
export interface UpResult {
  readonly report: UpReport;
  readonly runtime: Runtime;
  readonly knowledge: KnowledgeBase;
  readonly corpus: Corpus;
  readonly codec: TextCodec;
  readonly model: LanguageModel;
  readonly weights: Weights;
  /** Closes the index and the runtime. */
  close(): Promise<void>;
}

/** Positions per row for a base that could take more: enough for a section, short enough for many steps. */
const MOST_POSITIONS = 512;

/** Models below this are tuned whole unless asked otherwise. */
const FULL_PARAMETERS = 20e6;

/**
 * Reads, cuts, indexes, tunes, measures and packs, and says what happens as it does. What an earlier run left is used
 * again where its inputs are the same. The caller closes the result.
 */
export async function* up(options: UpOptions): AsyncGenerator<UpEvent, UpResult> {
  const { signal } = options;
  try {
    return yield* untilStopped(options);
  } catch (thrown) {
    if (!signal?.aborted || thrown !== signal.reason) throw thrown;
    throw new ConfigError("stopped; what is done is kept, and the same command goes on from it", { cause: thrown });
  }
}

/** @throws the signal's reason once it is aborted. */
async function* untilStopped(options: UpOptions): AsyncGenerator<UpEvent, UpResult> {
  const { folder, signal, seed = 1, seconds = 60, weights: format = "int8" } = options;
  if (!(seconds > 0)) throw new ConfigError(`the time for training must be positive, got ${seconds} s`);
  const workspace = options.workspace ? new Workspace(options.workspace) : Workspace.for(folder);
  const corpus = await readCorpus(folder, signal);
  await workspace.prepare();
  const start = await startingPoint(options, corpus, workspace);
  const knowledge = await openIndex(folder, workspace);
  try {
    // what was just read is not read again, unless the index holds source code too, which is not learned
    const index = yield* syncing(knowledge, {
      ...(!knowledge.settings.code && { entries: [...corpus.documents, ...corpus.skipped] }),
      ...(signal && { signal }),
    });
    yield { type: "index", report: index, documents: corpus.documents.length };
    const { codec, tunables, origin, identity } = start;
    const split = splitTokens(corpus, codec.tokenizer, codec.marks);
    const method: TuningMethod = tunables[0]!.adapter ? "lora" : "full";
    const documents = corpus.documents.map(({ path, hash }) => `${path} ${hash}`).sort();
    const settings = JSON.stringify({ identity, method, seconds, seed, memory: options.memoryBytes ?? null });
    const key = sha256(...documents, codec.hash, settings).slice(0, 16);
    const runtime = await Runtime.open();
    try {
      const chosen = await rememberedTuning(workspace, key, () =>
        chooseTuning(
          runtime,
          tunables,
          split,
          { seconds, memoryBytes: options.memoryBytes },
          {
            time: Math.min(tunables[0]!.model.maxPositions, MOST_POSITIONS),
            learningRate: (model) => learningRateOf(model, method, options.base !== undefined),
            seed,
          },
        ),
      );
      const target = tunables[chosen.index]!;
      const packed = packSplit(split, chosen.plan.time);
      const earlier = await workspace.read(tuningResultSchema, "runs", key, "tuning.json");
      const plan: UpPlan = {
        run: key,
        documents: corpus.documents.length,
        skipped: corpus.skipped,
        chunks: index.numChunks,
        trainTokens: packed.train.numTokens,
        heldOutTokens: packed.heldOut.numTokens,
        origin,
        method,
        tuning: chosen.plan,
        isTuned: earlier !== undefined,
      };
      yield { type: "plan", plan };
      const what = { tunable: target, plan: chosen.plan, codec, split };
      const tuning = earlier ?? (yield* tuned(runtime, workspace, key, what, seed, options));
      const modelFolder = workspace.path("runs", key, "model");
      await using opened = await openModel(modelFolder);
      const weights = await Weights.pack(opened.model, opened.parameters, format);
      const served = await servedLoss(runtime, opened.model, weights, split, chosen.plan);
      const { before, best } = tuning.summary;
      const { loss } = best;
      const report: UpReport = {
        folder,
        workspace: workspace.root,
        plan,
        index,
        tuning: {
          isCached: earlier !== undefined,
          ...tuning,
          perplexityBefore: Math.exp(before),
          perplexityAfter: Math.exp(loss),
          perplexityServed: Math.exp(served),
          bitsPerCharacter: (loss * packed.heldOut.numTokens) / split.heldOutChars / Math.LN2,
        },
        served: { format, bytes: weights.bytes, modelFolder },
        memory: { predicted: chosen.plan.memory, measuredPeakBytes: process.resourceUsage().maxRSS * 1024 },
      };
      await workspace.write(report, "report.json");
      yield { type: "report", report };
      const close = async (): Promise<void> => {
        await knowledge.close();
        await runtime.close();
      };
      return { report, runtime, knowledge, corpus, codec, model: opened.model, weights, close };
    } catch (error) {
      await runtime.close();
      throw error;
    }
  } catch (error) {
    await knowledge.close();
    throw error;
  }
}

/** Runs the whole job; `onEvent` sees it happen. The caller closes the result. */
export async function runUp(options: UpOptions, onEvent: (event: UpEvent) => void = () => {}): Promise<UpResult> {
  const job = up(options);
  for (;;) {
    const next = await job.next();
    if (next.done) return next.value;
    onEvent(next.value);
  }
}

interface StartingPoint {
  readonly codec: TextCodec;
  readonly tunables: readonly Tunable[];
  readonly origin: string;
  /** What distinguishes this start from others. */
  readonly identity: string;
}

async function startingPoint(options: UpOptions, corpus: Corpus, workspace: Workspace): Promise<StartingPoint> {
  const { base, seed = 1 } = options;
  if (base === undefined) {
    if (options.method === "lora") throw new ConfigError("--method lora adapts a checkpoint; give one with --base");
    const codec = await ownCodec(corpus, workspace);
    const tunables = ownCandidates(codec, seed).map((candidate) => tunable(candidate, "full"));
    return { codec, tunables, origin: "a small Llama trained from scratch", identity: "scratch" };
  }
  const { candidate, codec, hash } = await baseCandidate(base);
  const numParameters = [...candidate.parameters().values()].reduce((sum, { data }) => sum + data.length, 0);
  const method = options.method ?? (numParameters < FULL_PARAMETERS ? "full" : "lora");
  return { codec, tunables: [tunable(candidate, method)], origin: `${base}, tuned`, identity: hash };
}

/** Peak learning rates: adapters and small models take larger ones; weights that know something are moved with care. */
function learningRateOf(model: LanguageModel, method: TuningMethod, hasBase: boolean): number {
  if (method === "lora") return 2e-3;
  if (hasBase) return model.hiddenSize < 256 ? 1e-3 : 2e-4;
  return model.hiddenSize < 256 ? 4e-3 : 1.5e-3;
}

/** A plan is made once per run and kept, so that a run that was stopped goes on with the same steps. */
async function rememberedTuning(
  workspace: Workspace,
  key: string,
  choose: () => Promise<ChosenTuning>,
): Promise<ChosenTuning> {
  await workspace.prepare("runs", key);
  const known = await workspace.read(chosenTuningSchema, "runs", key, "plan.json");
  if (known) return known;
  const chosen = await choose();
  await workspace.write(chosen, "runs", key, "plan.json");
  return chosen;
}

async function* tuned(
  runtime: Runtime,
  workspace: Workspace,
  key: string,
  what: Parameters<typeof tune>[3],
  seed: number,
  { signal, finish }: Pick<UpOptions, "signal" | "finish">,
): AsyncGenerator<UpEvent, TuningResult> {
  const signals = { ...(signal && { signal }), ...(finish && { finish }) };
  const run = tune(runtime, workspace, key, what, { seed, ...signals });
  for (;;) {
    const next = await run.next();
    if (!next.done) {
      yield { type: "train", event: next.value };
      continue;
    }
    if (next.value.summary.reason === "aborted") {
      throw new ConfigError("stopped; a checkpoint was written, and the same command goes on from it");
    }
    await workspace.write(next.value, "runs", key, "tuning.json");
    return next.value;
  }
}

/** An index that cannot be read is made again: it holds nothing that the folder does not. */
async function openIndex(folder: string, { root }: Workspace): Promise<KnowledgeBase> {
  try {
    return await KnowledgeBase.open(folder, { workspace: root });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return KnowledgeBase.open(folder, { workspace: root, rebuild: true });
  }
}

/** Held-out loss of the weights as they are served. */
async function servedLoss(
  runtime: Runtime,
  model: LanguageModel,
  weights: Weights,
  split: TokenSplit,
  { time, shape }: TuningPlan,
): Promise<number> {
  const { heldOut } = packSplit(split, time);
  const evaluation = await Evaluation.create(runtime, model, weights.unpacked(), heldOut, shape);
  try {
    return await evaluation.loss();
  } finally {
    evaluation.close();
  }
}
