/** @file A tuning run from files to files: read, plan, train, sample, measure, keep, report. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { resolveModel, writeModel } from "../../checkpoint/index.js";
import { unpackFrozen } from "../../compress/index.js";
import { parameterSpecs } from "../../nn/index.js";
import { adapterSpecs, merge, methods, saveAdapter, type Tuning } from "../../peft/index.js";
import type { Precision } from "../../plan/index.js";
import { openModel, type TextModel } from "../../presets/index.js";
import { openDiskMemory, Runtime } from "../../runtime/index.js";
import { type AlgorithmName, overfitting, type TrainEvent, type TrainSummary, train } from "../../train/index.js";
import { chatTemplatesOf, endIdsOf } from "../chat-format.js";
import { sha256 } from "../corpus.js";
import { OUTPUT_SCHEMA_FILE } from "../output-schema-file.js";
import { lockRun } from "../run-lock.js";
import type { FittingShape } from "../tuning-plan.js";
import { MetricsFile, Workspace } from "../workspace.js";
import { type BaseWeights, readBase } from "./base-weights.js";
import { builds } from "./builds.js";
import { Clock } from "./clock.js";
import { withDemonstrations } from "./demonstrations.js";
import { HeldOutScores, type ScoreEvent, type Scores } from "./held-out-scores.js";
import { MANIFEST_VERSION, type Manifest, manifestSchema, weightHashes } from "./manifest.js";
import { type Sample, samplePrompts, sampleTexts } from "./samples.js";
import { trainOptionsOf } from "./train-options.js";
import { type Demonstrations, type TuneConfig, type TuneSettings, threadsOf, tuneSettings } from "./tune-config.js";
import { type ContextExtension, contextExtension, expectLongTexts, extended } from "./tune-context.js";
import { orderOf } from "./tune-curriculum.js";
import { renderOptionsOf, type TuneExamples, type TuneRows, tuneExamples, tuneRows } from "./tune-data.js";
import { openDevice } from "./tune-device.js";
import { adapterFor, fitTuning, frozenFor, planTuning, type TunePlan, tunePlanSchema, tuningFor } from "./tune-plan.js";
import { reportText, type TuneReport } from "./tune-report.js";
import { Writer } from "./writer.js";

export type TuneEvent =
  | { readonly type: "data"; readonly examples: TuneExamples; readonly rows: TuneRows }
  | {
      readonly type: "plan";
      readonly plan: TunePlan;
      readonly method: string;
      readonly algorithm: AlgorithmName;
      readonly device: TuneSettings["device"];
      readonly precision: Precision;
      readonly isResumed: boolean;
    }
  | { readonly type: "train"; readonly event: TrainEvent }
  | { readonly type: "samples"; readonly step: number; readonly samples: readonly Sample[] }
  | ScoreEvent
  | { readonly type: "report"; readonly report: TuneReport };

export interface TuneContext {
  /** Bytes of `memory` in the configuration. */
  readonly memoryBytes?: number;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Ends the run for good after the current step; the best parameters are kept and reported. */
  readonly finish?: AbortSignal;
  /** Shape and steps of an earlier run, to repeat it; measured and chosen otherwise. */
  readonly plan?: TunePlan;
}

/**
 * Tunes a model and writes adapter, merged model, metrics, manifest and report below `out`. The same configuration in the
 * same folder goes on where an earlier run stopped, with the same bits.
 * @throws ConfigError, DataError naming every fault of the data, CapacityError with the cheapest change that fits,
 * TrainingError naming the step at which loss or gradient stop being numbers, UnsupportedError where the settings' device
 * is not there.
 */
export async function* tune(config: TuneConfig, context: TuneContext = {}): AsyncGenerator<TuneEvent, TuneReport> {
  const settings = tuneSettings(config);
  const device = await openDevice(settings, threadsOf(settings));
  const runtime = await Runtime.open({ numThreads: threadsOf(settings) });
  try {
    using job = await TuneJob.open({ runtime, device }, settings, context);
    return yield* job.run();
  } finally {
    await runtime.close();
    await device?.close();
  }
}

/** Runs a whole tuning; `onEvent` sees it happen. */
export async function runTune(
  config: TuneConfig,
  context: TuneContext = {},
  onEvent: (event: TuneEvent) => void = () => {},
): Promise<TuneReport> {
  const job = tune(config, context);
  for (;;) {
    const next = await job.next();
    if (next.done) return next.value;
    onEvent(next.value);
  }
}

/** Samples are drawn on the first; steps are taken on the second where there is one. */
interface Runtimes {
  readonly runtime: Runtime;
  readonly device: Runtime | undefined;
}

class TuneJob implements Disposable {
  readonly #workspace: Workspace;
  readonly #stopIds: ReadonlySet<number>;
  #parameters = new Map<string, HostTensor>();

  private constructor(
    /** No other process trains in the folder. */
    private readonly lock: Disposable,
    private readonly runtimes: Runtimes,
    private readonly settings: TuneSettings,
    private readonly context: TuneContext,
    private readonly loaded: TextModel,
    private readonly base: BaseWeights,
    private readonly tuning: Tuning,
    private readonly examples: TuneExamples,
    private readonly rows: TuneRows,
    /** Absent where an earlier run or the caller has decided. */
    private readonly fitting: FittingShape | undefined,
    private readonly extension: ContextExtension | undefined,
  ) {
    this.#workspace = new Workspace(settings.out);
    this.#stopIds = endIdsOf(loaded, chatTemplatesOf(loaded).get("default"));
  }

  static async open(runtimes: Runtimes, settings: TuneSettings, context: TuneContext): Promise<TuneJob> {
    // the data first: its faults are found in seconds
    const examples = await tuneExamples(settings);
    await using opened = await openModel(await resolveModel(settings.base));
    const extension = contextExtension(opened, settings);
    const loaded: TextModel = extension ? extended(opened, extension) : opened;
    const tuning = tuningFor(loaded.model, settings);
    const rows = tuneRows(examples, loaded, settings, tuning.numVirtualTokens);
    if (extension) expectLongTexts(extension, rows.train);
    const workspace = new Workspace(settings.out);
    // not before: what is refused leaves no folder
    const lock = await lockRun(settings.out);
    try {
      const isBegun = (await workspace.readText("run.txt")) !== undefined;
      const known = context.plan ?? (isBegun ? await workspace.read(tunePlanSchema, "plan.json") : undefined);
      const fitting = known ? undefined : fitTuning(loaded.model, tuning, rows.time, settings, context.memoryBytes);
      const isPaging = (known ?? fitting!).shape.paging;
      const runtime = isPaging ? runtimes.runtime.paging(await openDiskMemory(workspace.path())) : runtimes.runtime;
      const base = await readBase(runtime, opened, frozenFor(loaded.model, tuning, settings));
      const where = { ...runtimes, runtime };
      return new TuneJob(lock, where, settings, context, loaded, base, tuning, examples, rows, fitting, extension);
    } catch (thrown) {
      lock[Symbol.dispose]();
      throw thrown;
    }
  }

  [Symbol.dispose](): void {
    this.lock[Symbol.dispose]();
  }

  async *run(): AsyncGenerator<TuneEvent, TuneReport> {
    const { settings, loaded, tuning, examples, rows } = this;
    const { runtime } = this.runtimes;
    yield { type: "data", examples, rows };
    const hashes = { baseHash: this.base.hash, dataHash: examples.hash };
    this.#parameters = new Map([...this.base.parameters, ...this.#startValues()]);
    const { signal } = this.context;
    const writer = new Writer(runtime, tuning, this.#parameters, loaded.tokenizer, this.#stopIds, signal);
    const held = HeldOutScores.open(writer, examples, renderOptionsOf(loaded, settings), settings);
    const shots = settings.fewShot && this.#fewShot(writer, settings.fewShot);
    const { plan, isResumed } = await this.#plan(rows, hashes);
    const { method, algorithm, device, precision } = settings;
    yield { type: "plan", plan, method, algorithm, device, precision, isResumed };
    const { samples: count, sampleTokens: numTokens } = settings;
    const room = { numTokens, mostTokens: writer.mostTokens };
    const prompts = samplePrompts(rows.heldOutDocuments, loaded.tokenizer, count, room);
    const metrics = new MetricsFile(this.#workspace.path("metrics.jsonl"));
    const { curriculum } = settings;
    const order = await orderOf(curriculum, runtime, tuning, this.#parameters, rows.train, plan.shape);
    const options = { ...trainOptionsOf(settings, tuning, this.base.frozen, plan, rows), ...order };
    const run = train(this.#trainContext(hashes, plan), this.#trainData(rows), options);
    const clock = new Clock();
    let samples: Sample[] = [];
    let before: Sample[] | undefined;
    let scores: ScoreEvent | undefined;
    for (;;) {
      const next = await clock.timed(() => run.next());
      if (next.done) {
        const { reason } = next.value;
        if (reason === "aborted") throw new ConfigError(this.#resumeText());
        // the parameters that remain are those of the best evaluation
        const kept = next.value.best?.step ?? next.value.steps;
        if (held && scores?.step !== kept) scores = await held.measure(kept);
        const after = scores && { numPrompts: held!.numPrompts, scores: scores.scores };
        const run = { plan, rows, hashes, clock, summary: next.value, before, after: samples };
        const report = await this.#finish({ ...run, ...(after && { scored: after }) });
        yield { type: "report", report };
        return report;
      }
      const event = next.value;
      clock.note(event);
      await metrics.append({ ...event, ms: clock.lastMs, rssBytes: process.memoryUsage.rss() });
      yield { type: "train", event };
      if (event.type !== "evaluation") continue;
      const { step } = event;
      if (prompts.length > 0) {
        samples = await sampleTexts(writer, prompts, numTokens);
        if (signal?.aborted) continue;
        before ??= step === 0 ? samples : undefined;
        yield { type: "samples", step, samples };
      }
      if (!held) continue;
      scores = await held.measure(step);
      const few = step === 0 ? await shots?.measure(step, "few-shot") : undefined;
      // texts were cut; the run ends at its next step
      if (signal?.aborted) continue;
      for (const found of few ? [few, scores] : [scores]) {
        await metrics.append(found);
        yield found;
      }
    }
  }

  #fewShot(writer: Writer, demonstrations: Demonstrations): HeldOutScores | undefined {
    const { settings, loaded, examples } = this;
    const { train, heldOut } = examples;
    const shown = withDemonstrations(heldOut, train, demonstrations, settings.seed);
    return HeldOutScores.open(writer, { train, heldOut: shown }, renderOptionsOf(loaded, settings), settings);
  }

  /** Of what the method adds; some follow from the base's weights, which must then be whole. */
  #startValues(): Map<string, HostTensor> {
    const { base, settings, loaded } = this;
    const needsBase = base.frozen && methods[settings.method].start !== undefined;
    const parameters = needsBase ? unpackFrozen(parameterSpecs(loaded.model), base.parameters) : base.parameters;
    return this.tuning.start(parameters, { seed: settings.seed });
  }

  /** The plan of an earlier run of the same settings, or one that is made now and kept. */
  async #plan(rows: TuneRows, hashes: object): Promise<{ plan: TunePlan; isResumed: boolean }> {
    const known = await this.#workspace.read(tunePlanSchema, "plan.json");
    const key = this.#fingerprint(hashes);
    const owner = await this.#workspace.readText("run.txt");
    if (known && owner === key) return { plan: known, isResumed: true };
    if (owner !== undefined) {
      throw new ConfigError(
        `${this.settings.out} holds a run with other data, base or settings; give another --out, or remove the folder`,
      );
    }
    const plan =
      this.context.plan ??
      (await planTuning(this.runtimes, this.tuning, this.fitting!, this.#parameters, rows, this.settings));
    await this.#workspace.write(plan, "plan.json");
    await this.#workspace.writeText(key, "run.txt");
    // in the form in which it will be read back: the run's fingerprint depends on it
    return { plan: tunePlanSchema.parse(plan), isResumed: false };
  }

  #fingerprint(hashes: object): string {
    const {
      out: _,
      samples: __,
      sampleTokens: ___,
      merge: ____,
      pricePerHour: _____,
      checkpointSeconds: ______,
      metrics: _______,
      scored: ________,
      fewShot: _________,
      ...decisive
    } = this.settings;
    return sha256(JSON.stringify(decisive), JSON.stringify(hashes));
  }

  #trainContext(hashes: object, plan: TunePlan) {
    const { signal, finish } = this.context;
    const folder = {
      root: this.#workspace.path("checkpoints"),
      every: Math.max(1, Math.ceil((1000 * this.settings.checkpointSeconds) / plan.msPerStep)),
      keep: 1,
      fingerprint: sha256(this.#fingerprint(hashes), JSON.stringify(plan)),
    };
    const { tuning } = this;
    const { runtime, device } = this.runtimes;
    return {
      runtime,
      ...(device && { device }),
      model: tuning.model,
      parameters: this.#parameters,
      folder,
      ...(signal && { signal }),
      ...(finish && { finish }),
    };
  }

  #trainData({ train, heldOut }: TuneRows) {
    return { train, ...(heldOut && { heldOut }) };
  }

  async #finish(run: FinishedRun): Promise<TuneReport> {
    const { settings, loaded, tuning, examples } = this;
    const { plan, rows, clock, summary, hashes } = run;
    const written = await this.runtimes.runtime.outside(() => this.#keep(rows));
    const records = await this.#records();
    const steps = records.flatMap((record) => (record.type === "step" ? [record] : []));
    const losses = steps.map(({ loss }) => loss);
    const evaluations = records.flatMap((record) => (record.type === "evaluation" ? [record] : []));
    const overfit = overfitting(evaluations, losses);
    const scoresAtStart = (type: ScoreEvent["type"]): Scores | undefined =>
      records.flatMap((record) => (record.type === type && record.step === 0 ? [record.scores] : []))[0];
    const fewShot = scoresAtStart("few-shot");
    const manifest: Manifest = {
      version: MANIFEST_VERSION,
      settings,
      ...hashes,
      plan,
      threads: threadsOf(settings),
      builds: builds(),
      losses,
      files: await weightHashes(settings.out, written),
    };
    await this.#workspace.write(manifestSchema.parse(manifest), "manifest.json");
    const numExamples = examples.train.length;
    const secondsPer1kExamples =
      (plan.msPerStep / plan.accumulate / plan.shape.batchSize) * (rows.train.numRows / numExamples);
    const report: TuneReport = {
      base: settings.base,
      method: settings.method,
      algorithm: settings.algorithm,
      device: settings.device,
      ...(settings.quantize && { quantize: settings.quantize }),
      precision: settings.precision,
      skippedSteps: steps.filter(({ isSkipped }) => isSkipped).length,
      family: loaded.model.family,
      ...(this.extension && { context: this.extension }),
      data: {
        files: examples.report.files.map(({ path, format, numRows }) => ({ path, format, numRows })),
        train: numExamples,
        heldOut: examples.heldOut.length,
        empty: examples.report.empty.length,
        duplicates: examples.report.duplicates.length,
        overLong: rows.trainReport.overLong.length,
        leaked: examples.numRemoved,
        targetTokens: rows.trainReport.numTargets,
        rows: rows.train.numRows,
        time: rows.time,
        utilisation: rows.trainReport.numTokens / (rows.train.numRows * rows.time),
      },
      plan,
      summary,
      seconds: clock.seconds,
      tokensPerSecond: clock.tokensPerSecond,
      secondsPer1kExamples,
      ...(settings.pricePerHour !== undefined && {
        costPer1kExamples: (secondsPer1kExamples * settings.pricePerHour) / 3600,
      }),
      memory: { predictedBytes: plan.memory.total, measuredPeakBytes: process.resourceUsage().maxRSS * 1024 },
      numTrainable: plan.numTrainable,
      numParameters: plan.numParameters,
      losses,
      ...(overfit && { overfitting: overfit }),
      samples: run.after.map((sample, i) => ({ ...sample, before: run.before?.[i]?.text ?? null })),
      ...(run.scored && {
        scores: {
          numPrompts: run.scored.numPrompts,
          before: scoresAtStart("scores") ?? null,
          after: run.scored.scores,
          ...(fewShot && { fewShot }),
        },
      }),
      out: settings.out,
      files: Object.keys(manifest.files),
      numVirtualTokens: tuning.numVirtualTokens,
    };
    await this.#workspace.write(report, "report.json");
    await this.#workspace.writeText(reportText(report), "report.md");
    await rm(this.#workspace.path("checkpoints"), { recursive: true, force: true });
    return report;
  }

  /** The metrics of all parts of the run. */
  async #records(): Promise<(TrainEvent | ScoreEvent)[]> {
    const text = (await this.#workspace.readText("metrics.jsonl")) ?? "";
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as TrainEvent | ScoreEvent);
  }

  /** Writes what was trained, and the whole model where it can be merged; names of the folders. */
  async #keep({ template }: TuneRows): Promise<string[]> {
    const { settings, loaded } = this;
    const { method } = settings;
    const adapter = adapterFor(loaded.model, settings, this.extension);
    const folders: string[] = [];
    const isWhole = method === "full";
    if (!isWhole) {
      await saveAdapter(this.#workspace.path("adapter"), loaded.model, adapter, this.#parameters, {
        baseModel: settings.base,
      });
      await this.#keepSchema("adapter");
      folders.push("adapter");
    }
    const mayMerge = typeof methods[method].merging !== "string";
    const { merge: isMerged = !this.base.frozen || this.extension !== undefined } = settings;
    if (!(isWhole || (isMerged && mayMerge))) return folders;
    if (this.base.frozen) this.#parameters = unpackFrozen(parameterSpecs(this.tuning.model), this.#parameters);
    if (!isWhole) merge(loaded.model, adapter, this.#parameters);
    for (const { name } of adapterSpecs(loaded.model, this.tuning.model)) this.#parameters.delete(name);
    await writeModel(this.#workspace.path("model"), {
      config: loaded.config,
      tensors: this.#parameters,
      files: new Map([
        ...loaded.tokenizerFiles,
        ...(template === undefined ? [] : [["chat_template.jinja", new TextEncoder().encode(template)] as const]),
      ]),
    });
    await this.#keepSchema("model");
    return [...folders, "model"];
  }

  /** What the model was tuned to write goes with it. */
  async #keepSchema(folder: string): Promise<void> {
    const { outputSchema } = this.settings;
    if (outputSchema) await this.#workspace.write(outputSchema, folder, OUTPUT_SCHEMA_FILE);
  }

  #resumeText(): string {
    return `stopped; a checkpoint was written to ${join(this.settings.out, "checkpoints")}, and the same command goes on from it`;
  }
}

interface FinishedRun {
  readonly plan: TunePlan;
  readonly rows: TuneRows;
  readonly hashes: { readonly baseHash: string; readonly dataHash: string };
  readonly clock: Clock;
  readonly summary: TrainSummary;
  readonly before: readonly Sample[] | undefined;
  readonly after: readonly Sample[];
  readonly scored?: { readonly numPrompts: number; readonly scores: Scores };
}
