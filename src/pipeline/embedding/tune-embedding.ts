/** @file Tuning an encoder on pairs of texts, from files to a folder that sentence-transformers reads. */

import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { ConfigError } from "../../base/errors.js";
import { resolveModel } from "../../checkpoint/index.js";
import { pairBatches, readPairs, splitPairs, type TextPair } from "../../datasets/index.js";
import { encoderParameters } from "../../nn/index.js";
import { type LoadedEncoder, loadEncoder } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import {
  contrastiveSource,
  type GradientTrainOptions,
  optimizers,
  type Schedule,
  type StageTrainEvent,
  type TokenPair,
  trainByGradients,
} from "../../train/index.js";
import { sha256 } from "../corpus.js";
import { MetricsFile, Workspace } from "../workspace.js";
import { type EmbeddingConfig, type EmbeddingSettings, embeddingSettings } from "./embedding-config.js";
import { HeldOutSearch, type SearchReport, searchReportSchema } from "./held-out-search.js";
import { tokenizePairs } from "./pair-tokens.js";
import { saveEncoder } from "./save-encoder.js";

export interface EmbeddingReport {
  readonly base: string;
  readonly pairs: {
    readonly train: number;
    readonly heldOut: number;
    readonly negatives: number;
    /** Texts of which the beginning was learned from. */
    readonly cut: number;
    readonly batch: number;
  };
  readonly steps: number;
  /** Mean loss of the first and the last tenth of the steps of this process. */
  readonly loss: { readonly first: number; readonly last: number };
  /** Absent where nothing is held out. */
  readonly before?: SearchReport;
  readonly after?: SearchReport;
  readonly seconds: number;
  /** Folder of the model. */
  readonly model: string;
}

export type EmbeddingEvent =
  | { readonly type: "data"; readonly pairs: EmbeddingReport["pairs"]; readonly steps: number }
  | { readonly type: "train"; readonly event: StageTrainEvent; readonly steps: number }
  | { readonly type: "search"; readonly step: number; readonly search: SearchReport };

export interface EmbeddingContext {
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * Trains all parameters of an encoder by in-batch negatives, measures held-out retrieval before and after, and writes
 * `<out>/model` and `<out>/report.json`. The same configuration in the same folder goes on where an earlier run stopped.
 * LoRA and its relatives attach to decoders only and are not offered here.
 * @throws ConfigError, DataError naming every fault of the data by its line, TrainingError naming the step at which the loss
 * stops being a number.
 */
export async function tuneEmbedding(
  config: EmbeddingConfig,
  { signal }: EmbeddingContext = {},
  onEvent: (event: EmbeddingEvent) => void = () => {},
): Promise<EmbeddingReport> {
  const settings = embeddingSettings(config);
  const workspace = new Workspace(settings.out);
  const model = workspace.path("model");
  if (await isThere(model)) {
    throw new ConfigError(`${model} is there already: that run is finished; give another --out, or remove it`);
  }
  const data = await readData(settings);
  const loaded = withSettings(await loadEncoder(await resolveModel(settings.base)), settings);
  await workspace.prepare();
  const runtime = await Runtime.open({ numThreads: settings.threads ?? availableParallelism() });
  try {
    const job = new EmbeddingJob(runtime, settings, loaded, data, workspace, onEvent);
    return await job.run(model, signal);
  } finally {
    await runtime.close();
  }
}

/** What the base found, kept for a run that goes on. */
const BEFORE = "before.json";

interface PairData {
  readonly train: readonly TextPair[];
  readonly heldOut: readonly TextPair[];
  /** Hard negatives of every pair. */
  readonly numNegatives: number;
}

async function readData({ data, validation, columns, heldOut, seed, negatives }: EmbeddingSettings): Promise<PairData> {
  const read = await readPairs(data, columns);
  const apart = validation ? (await readPairs(validation, columns)).pairs : read.heldOut;
  const split =
    apart.length > 0 ? withoutPassages(read.pairs, apart) : splitPairs(read.pairs, { share: heldOut, seed });
  const fewest = split.train.reduce((least, pair) => Math.min(least, pair.negatives.length), Number.POSITIVE_INFINITY);
  const numNegatives = negatives ?? fewest;
  const lacking = split.train.find((pair) => pair.negatives.length < numNegatives);
  if (lacking) {
    const { file, line } = lacking.place;
    throw new ConfigError(
      `${file}:${line} has ${lacking.negatives.length} negatives, fewer than the ${numNegatives} asked for`,
    );
  }
  return { ...split, numNegatives };
}

/** Passages that are held out are not learned from. */
function withoutPassages(pairs: readonly TextPair[], heldOut: readonly TextPair[]) {
  const apart = new Set(heldOut.map(({ positive }) => positive));
  return { train: pairs.filter(({ positive }) => !apart.has(positive)), heldOut };
}

/** @throws ConfigError for a length that the network does not take. */
function withSettings(loaded: LoadedEncoder, { length, prompts, base }: EmbeddingSettings): LoadedEncoder {
  const { maxPositions } = loaded.encoder;
  const maxTokens = length ?? loaded.maxTokens;
  if (maxTokens > maxPositions) {
    throw new ConfigError(`${base} takes ${maxPositions} tokens, fewer than the length of ${maxTokens} asked for`);
  }
  return {
    ...loaded,
    maxTokens,
    prompts: { query: prompts.query ?? loaded.prompts.query, passage: prompts.passage ?? loaded.prompts.passage },
  };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

class EmbeddingJob {
  readonly #pairs: readonly TokenPair[];
  readonly #counts: EmbeddingReport["pairs"];
  readonly #epochs: number[][][] = [];
  readonly #steps: number;
  readonly #search: HeldOutSearch | undefined;
  /** What was measured last. */
  #found: SearchReport | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly settings: EmbeddingSettings,
    private readonly loaded: LoadedEncoder,
    private readonly data: PairData,
    private readonly workspace: Workspace,
    private readonly onEvent: (event: EmbeddingEvent) => void,
  ) {
    const { train, heldOut, numNegatives } = data;
    const { pairs, numCut } = tokenizePairs(train, loaded, numNegatives, settings.overLong);
    const ofHeldOut = tokenizePairs(heldOut, loaded, Number.POSITIVE_INFINITY, settings.overLong);
    this.#pairs = pairs;
    this.#counts = {
      train: train.length,
      heldOut: heldOut.length,
      negatives: numNegatives,
      cut: numCut + ofHeldOut.numCut,
      batch: settings.batchSize,
    };
    this.#steps = settings.steps ?? Math.max(1, Math.round(settings.epochs * this.#batchesOf(0).length));
    this.#search = heldOut.length > 0 ? new HeldOutSearch(runtime, loaded, heldOut, train) : undefined;
  }

  async run(model: string, signal?: AbortSignal): Promise<EmbeddingReport> {
    const start = performance.now();
    this.onEvent({ type: "data", pairs: this.#counts, steps: this.#steps });
    const losses = await this.#train(signal);
    // a run that went on from its last step has measured nothing yet
    const after = this.#found ?? (await this.#search?.measure());
    const before = await this.workspace.read(searchReportSchema, BEFORE);
    const { settings } = this;
    await saveEncoder(model, this.loaded, this.#card(before, after));
    const tenth = Math.max(1, Math.floor(losses.length / 10));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const report: EmbeddingReport = {
      base: settings.base,
      pairs: this.#counts,
      steps: this.#steps,
      loss: { first: mean(losses.slice(0, tenth)), last: mean(losses.slice(-tenth)) },
      ...(before && { before }),
      ...(after && { after }),
      seconds: (performance.now() - start) / 1000,
      model,
    };
    await this.workspace.write(report, "report.json");
    return report;
  }

  /** Losses of the steps that this process took. */
  async #train(signal?: AbortSignal): Promise<number[]> {
    const { settings, runtime, loaded, data } = this;
    const { parameters } = loaded;
    const trained = new Set(encoderParameters(loaded.encoder).map(({ name }) => name));
    const work = {
      batch: (index: number) => this.#batch(index),
      ...(this.#search && { evaluate: () => this.#measure(this.#search!) }),
    };
    const source = await contrastiveSource(runtime, loaded, work, {
      batch: settings.batchSize,
      numNegatives: data.numNegatives,
      scale: settings.scale,
      isSymmetric: settings.symmetric,
      microTokens: settings.microTokens,
      isTrainable: (name) => trained.has(name),
    });
    const metrics = new MetricsFile(this.workspace.path("metrics.jsonl"));
    const folder = {
      root: this.workspace.path("checkpoints"),
      every: this.settings.checkpointSteps,
      keep: 1,
      fingerprint: this.#fingerprint(),
    };
    const context = { runtime, parameters, folder, ...(signal && { signal }) };
    const run = trainByGradients(context, source, this.#options());
    const losses: number[] = [];
    for (;;) {
      const next = await run.next();
      if (next.done) {
        if (next.value.reason === "finished") return losses;
        throw new ConfigError(`stopped after step ${next.value.steps}; the same command goes on from there`);
      }
      const event = next.value;
      await metrics.append(event);
      if (event.type === "step") losses.push(event.loss);
      this.onEvent({ type: "train", event, steps: this.#steps });
      if (event.type !== "evaluation" || !this.#found) continue;
      if (event.step === 0) await this.workspace.write(this.#found, BEFORE);
      this.onEvent({ type: "search", step: event.step, search: this.#found });
    }
  }

  async #measure(search: HeldOutSearch): Promise<number> {
    this.#found = await search.measure();
    return this.#found.mrr;
  }

  #options(): GradientTrainOptions {
    const { settings } = this;
    const schedule = {
      name: settings.schedule as Schedule["name"],
      peak: settings.learningRate,
      warmupSteps: Math.round(settings.warmup * this.#steps),
      totalSteps: this.#steps,
      finalShare: 0,
    };
    return {
      steps: this.#steps,
      optimizer: optimizers[settings.optimizer](),
      schedule,
      seed: settings.seed,
      weightDecay: settings.weightDecay,
      clipNorm: settings.clipNorm,
      evaluateEvery: Math.ceil(this.#steps / settings.evaluations),
    };
  }

  #batchesOf(epoch: number): number[][] {
    const { batchSize, seed } = this.settings;
    this.#epochs[epoch] ??= pairBatches(this.data.train, batchSize, seed, epoch);
    return this.#epochs[epoch];
  }

  #batch(index: number): TokenPair[] {
    let [epoch, left] = [0, index];
    while (left >= this.#batchesOf(epoch).length) left -= this.#batchesOf(epoch++).length;
    return this.#batchesOf(epoch)[left]!.map((place) => this.#pairs[place]!);
  }

  #fingerprint(): string {
    const { out: _, checkpointSteps: __, ...decisive } = this.settings;
    const texts = this.data.train.map(({ query, positive, negatives }) => [query, positive, negatives]);
    return sha256(JSON.stringify(decisive), JSON.stringify(texts), JSON.stringify(this.loaded.encoder.config));
  }

  #card(before: SearchReport | undefined, after: SearchReport | undefined): string {
    const { settings } = this;
    const row = (name: string, { recallAt10, mrr }: SearchReport): string =>
      `| ${name} | ${recallAt10.toFixed(3)} | ${mrr.toFixed(3)} |`;
    const table =
      before && after
        ? `\n| ${after.numQueries} held-out queries among ${after.numPassages} passages | recall@10 | MRR |\n| --- | ---: | ---: |\n${row("base", before)}\n${row("tuned", after)}\n`
        : "\nNothing was held out, so nothing was measured.\n";
    return `# Encoder for retrieval\n\n${settings.base}, tuned by Tessera on ${this.#counts.train} pairs: ${this.#steps} steps of ${settings.batchSize} pairs with in-batch negatives.\n${table}`;
  }
}
