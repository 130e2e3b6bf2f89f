/** @file What a tuning run comes to, for programs and for people. */

import type { PackedFormat } from "../../compress/index.js";
import type { Precision } from "../../plan/index.js";
import type { AlgorithmName, Overfitting, TrainSummary } from "../../train/index.js";
import type { Scores } from "./held-out-scores.js";
import type { Sample } from "./samples.js";
import type { TuneSettings } from "./tune-config.js";
import type { ContextExtension } from "./tune-context.js";
import type { TunePlan } from "./tune-plan.js";
import { servingText } from "./tune-quantize.js";

export interface TuneReport {
  readonly base: string;
  readonly family: string;
  readonly method: string;
  /** How a step was found. */
  readonly algorithm: AlgorithmName;
  /** Positions before and after, where the context was extended, and what config.json says of it. */
  readonly context?: ContextExtension;
  /** Where steps were taken, and whose memory was predicted. */
  readonly device: TuneSettings["device"];
  /** Weights that it was trained for; losses and samples are those of a model with them. */
  readonly quantize?: PackedFormat;
  /** Of what lay between programs. */
  readonly precision: Precision;
  /** Steps that were left out since gradients overflowed float16. */
  readonly skippedSteps: number;
  readonly data: {
    readonly files: readonly { readonly path: string; readonly format: string; readonly numRows: number }[];
    /** Examples. */
    readonly train: number;
    readonly heldOut: number;
    readonly empty: number;
    readonly duplicates: number;
    readonly overLong: number;
    /** Training examples that were held out too, and so left out. */
    readonly leaked: number;
    readonly targetTokens: number;
    readonly rows: number;
    /** Positions per row. */
    readonly time: number;
    /** Share of the positions that hold a token. */
    readonly utilisation: number;
  };
  readonly plan: TunePlan;
  readonly summary: TrainSummary;
  /** Of training and evaluation. */
  readonly seconds: number;
  /** Target tokens per second of training steps. */
  readonly tokensPerSecond: number;
  readonly secondsPer1kExamples: number;
  /** In the currency of `pricePerHour`. */
  readonly costPer1kExamples?: number;
  readonly memory: { readonly predictedBytes: number; readonly measuredPeakBytes: number };
  readonly numTrainable: number;
  readonly numParameters: number;
  /** By step. */
  readonly losses: readonly number[];
  /** Where the run began to learn its examples by heart, if it did. The parameters that were kept are of `summary.best`. */
  readonly overfitting?: Overfitting;
  /** Of answers to held-out prompts, where metrics were asked for; before is that of the base, null where it was not measured; fewShot is that of the base with demonstrations. */
  readonly scores?: {
    readonly numPrompts: number;
    readonly before: Scores | null;
    readonly after: Scores;
    readonly fewShot?: Scores;
  };
  readonly samples: readonly (Sample & { readonly before: string | null })[];
  readonly out: string;
  /** Weights that were written, below `out`. */
  readonly files: readonly string[];
  readonly numVirtualTokens: number;
}

/** What a step runs, and keeps from one pass to the next. */
export function passesText(
  algorithm: AlgorithmName,
  { shape: { save, paging }, selected }: TunePlan,
  precision: Precision,
): string {
  if (algorithm === "mezo") return "two forward passes";
  const of = selected === undefined ? "" : ` of ${selected} positions, drawn anew for each step`;
  const inHalf = precision === "float32" ? "" : ` in ${precision}`;
  return `keeping ${save} for the backward pass${inHalf}${of}${paging ? ", in files what is not in use" : ""}`;
}

/** What is predicted is the memory of the device where there is one; what is measured is always the process. */
export const onDevice = (device: TuneSettings["device"]): string => (device === "cpu" ? "" : ` on ${device}`);

const number = (value: number): string => Math.round(value).toLocaleString("en-US");
const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GB`;
const lossAndPerplexity = (loss: number | undefined): string =>
  loss === undefined ? "not measured" : `${loss.toFixed(4)} (perplexity ${Math.exp(loss).toPrecision(4)})`;

/** Each metric before and after, in percent. */
export const scoreRows = ({ scores }: Pick<TuneReport, "scores">): (readonly [name: string, text: string])[] =>
  Object.entries(scores?.after ?? {}).map(([name, after]) => {
    const before = scores?.before?.[name];
    const shown = scores?.fewShot?.[name];
    const few = shown === undefined ? "" : ` (with demonstrations ${percent(shown)})`;
    return [name, `${before === undefined ? "not measured" : percent(before)} before${few}, ${percent(after)} after`];
  });

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** That training loss fell on while held-out loss rose, and from where. */
export const overfittingText = ({ step, lowest, last, trainingThen, trainingNow }: Overfitting): string =>
  `from step ${number(step)} on: held-out loss rose from ${lowest.toFixed(4)} to ${last.toFixed(4)} while training loss fell from ${trainingThen.toFixed(4)} to ${trainingNow.toFixed(4)}`;
export const contextText = ({ from, to, keys: { max_position_embeddings: _, ...scaling } }: ContextExtension): string =>
  `${number(from)} positions made ${number(to)} by ${JSON.stringify(scaling)}`;

/** What was done and what came of it, by name. */
export function reportRows(report: TuneReport): (readonly [name: string, text: string])[] {
  const { data, plan, summary, memory } = report;
  return [
    ["base", `${report.base} (${report.family}, ${number(report.numParameters)} parameters)`],
    ["method", `${report.method}, ${number(report.numTrainable)} parameters trained by ${report.algorithm}`],
    ...(report.context ? [["context", contextText(report.context)] satisfies [string, string]] : []),
    ...(report.quantize ? [["weights", servingText(report.quantize)] satisfies [string, string]] : []),
    ["data", data.files.map(({ path, format, numRows }) => `${path}: ${number(numRows)} rows as ${format}`).join("; ")],
    ["examples", `${number(data.train)} to learn from, ${number(data.heldOut)} held out`],
    [
      "left out or noted",
      `${data.empty} empty, ${data.duplicates} duplicates, ${data.overLong} over-long, ${data.leaked} that were held out too`,
    ],
    [
      "rows",
      `${number(data.rows)} of ${data.time} positions, ${(100 * data.utilisation).toFixed(1)} % used; ${number(data.targetTokens)} tokens learned`,
    ],
    [
      "step",
      `${plan.accumulate} micro-batches of ${plan.shape.batchSize} rows, ${passesText(report.algorithm, plan, report.precision)}`,
    ],
    [
      "steps",
      `${number(summary.steps)} of ${number(plan.steps)} (${summary.reason})${report.skippedSteps > 0 ? `, ${number(report.skippedSteps)} left out for overflow` : ""}`,
    ],
    ["held-out loss before", lossAndPerplexity(summary.before)],
    ["held-out loss after", lossAndPerplexity(summary.best?.loss ?? summary.after)],
    ...scoreRows(report),
    ...(report.scores ? [["measured over", `${report.scores.numPrompts} held-out prompts`] as const] : []),
    ["best step", summary.best ? number(summary.best.step) : "none measured"],
    ...(report.overfitting ? [["overfitting", overfittingText(report.overfitting)] as const] : []),
    ["time", `${report.seconds.toFixed(1)} s, predicted ${plan.predictedSeconds.toFixed(1)} s`],
    ["speed", `${number(report.tokensPerSecond)} learned tokens/s`],
    [
      "cost",
      `${report.secondsPer1kExamples.toFixed(1)} s per 1,000 examples${report.costPer1kExamples === undefined ? "" : `, ${report.costPer1kExamples.toPrecision(3)} in your currency`}`,
    ],
    [
      "peak memory",
      `${gigabytes(memory.measuredPeakBytes)}, predicted ${gigabytes(memory.predictedBytes)}${onDevice(report.device)}`,
    ],
    ["written", report.files.map((file) => `${report.out}/${file}`).join(", ")],
  ];
}

/** The report as Markdown. */
export function reportText(report: TuneReport): string {
  const samples = report.samples.flatMap(({ prompt, expected, before, text }) => [
    "",
    "### Prompt",
    "",
    fenced(prompt),
    ...(before === null ? [] : ["", "Before:", "", fenced(before)]),
    "",
    "After:",
    "",
    fenced(text),
    "",
    "In the data:",
    "",
    fenced(expected),
  ]);
  return [
    "# Tuning report",
    "",
    "| | |",
    "|---|---|",
    ...reportRows(report).map(([label, value]) => `| ${label} | ${cell(value)} |`),
    ...(samples.length > 0 ? ["", "## Samples", ...samples] : []),
    "",
  ].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** A block that no run of backticks within it ends. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
