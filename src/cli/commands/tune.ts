/** @file `tessera tune`: a model and examples in, a tuned model out. */

import { Command } from "commander";
import { embeddingConfigJsonSchema } from "../../pipeline/embedding/index.js";
import {
  contextText,
  onDevice,
  overfittingText,
  passesText,
  runTune,
  scoreRows,
  servingText,
  type TuneEvent,
  tuneConfigJsonSchema,
  tuneSettings,
} from "../../pipeline/tuning/index.js";
import { bytes, integer, parameters, plural, rows, seconds } from "../format.js";
import { parseBytes, readJsonObject } from "../options.js";
import { StatusLine } from "../status-line.js";
import { stopSignal } from "../stop-signal.js";
import { TrainingStatus } from "../training-status.js";
import { runEmbeddingTuning } from "../tune-embedding.js";
import { addTuneFlags, type TuneFlags, tuneConfig } from "../tune-flags.js";

export const tuneCommand = addTuneFlags(
  new Command("tune").description(
    "fine-tune a model on examples within a memory budget, and write files that others read",
  ),
)
  .option("--print-schema", "print the JSON Schema of configuration files")
  .option("--json", "print the report as JSON on standard output")
  .action(run);

async function run(flags: TuneFlags & { printSchema?: boolean; json?: boolean }): Promise<void> {
  const isEmbedding = taskOf(flags) === "embedding";
  if (flags.printSchema) {
    console.log(JSON.stringify(isEmbedding ? embeddingConfigJsonSchema() : tuneConfigJsonSchema(), null, 2));
    return;
  }
  if (isEmbedding) {
    const report = await runEmbeddingTuning(flags);
    if (flags.json) console.log(JSON.stringify(report));
    return;
  }
  const config = tuneConfig(flags);
  const { memory } = tuneSettings(config);
  const memoryBytes = typeof memory === "string" ? parseBytes(memory) : memory;
  const status = new StatusLine();
  using stop = stopSignal(status);
  const context = { signal: stop.signal, ...(memoryBytes !== undefined && { memoryBytes }) };
  const report = await runTune(config, context, reporter(status));
  if (flags.json) console.log(JSON.stringify(report));
}

/** The flag's, else the configuration file's. */
function taskOf({ task, config }: TuneFlags): unknown {
  return task ?? (config === undefined ? undefined : readJsonObject(config).task);
}

function reporter(status: StatusLine): (event: TuneEvent) => void {
  status.update("reading");
  let training: TrainingStatus | undefined;
  return (event) => {
    if (event.type === "data") status.print(`Data\n${dataText(event)}`);
    else if (event.type === "plan") {
      training = new TrainingStatus(status, event.plan.steps);
      status.print(`\nPlan\n${planText(event)}\n`);
    } else if (event.type === "train") training?.show(event.event);
    else if (event.type === "samples") {
      for (const { prompt, text } of event.samples) {
        status.print(`    ${JSON.stringify(prompt.slice(-60))} → ${JSON.stringify(text)}`);
      }
    } else if (event.type === "report") status.print(`\nReport\n${summaryText(event.report)}`);
    else {
      const shares = Object.entries(event.scores).map(([name, value]) => `${name} ${(100 * value).toFixed(1)} %`);
      status.print(`    ${event.type === "few-shot" ? "with demonstrations: " : ""}${shares.join(", ")}`);
    }
  };
}

function dataText({ examples, rows: data }: Extract<TuneEvent, { type: "data" }>): string {
  const { report } = examples;
  const { trainReport } = data;
  return rows([
    ...report.files.map(
      ({ path, format, numRows, reason }) => [path, `${plural(numRows, "row")} as ${format} (${reason})`] as const,
    ),
    ["examples", `${integer(examples.train.length)} to learn from, ${integer(examples.heldOut.length)} held out`],
    [
      "left out or noted",
      `${report.empty.length} empty, ${report.duplicates.length} duplicates, ${trainReport.overLong.length} over-long, ${examples.numRemoved} held out too`,
    ],
    ["tokens", `${integer(trainReport.numTokens)}, of which ${integer(trainReport.numTargets)} are learned`],
    ["rows", `${integer(data.train.numRows)} of ${integer(data.time)} positions`],
  ]);
}

function planText({
  plan,
  method,
  algorithm,
  device,
  precision,
  isResumed,
}: Extract<TuneEvent, { type: "plan" }>): string {
  const { total, ...parts } = plan.memory;
  const { shape } = plan;
  return rows([
    [
      "method",
      `${method}: ${parameters(plan.numTrainable)} of ${parameters(plan.numParameters)} parameters trained by ${algorithm}`,
    ],
    [
      "step",
      `${plan.accumulate} x ${shape.batchSize} rows of ${plan.time}, ${passesText(algorithm, plan, precision)}, attention in tiles of ${tilesText(shape)}, loss in tiles of ${shape.lossTile.rows} x ${integer(shape.lossTile.vocabulary)}`,
    ],
    [
      `peak memory${onDevice(device)}`,
      `${bytes(total)} (${Object.entries(parts)
        .map(([name, size]) => `${name} ${bytes(size)}`)
        .join(", ")})`,
    ],
    ["time", `${integer(plan.steps)} steps of ${Math.round(plan.msPerStep)} ms: ${seconds(plan.predictedSeconds)}`],
    ...(isResumed ? [["goes on", "from the last checkpoint of this run"] as const] : []),
  ]);
}

const tilesText = ({ attentionTile, keyTile }: Extract<TuneEvent, { type: "plan" }>["plan"]["shape"]): string =>
  keyTile === undefined ? `${attentionTile}` : `${attentionTile} x ${keyTile}`;

function summaryText(report: Extract<TuneEvent, { type: "report" }>["report"]): string {
  const { summary, memory } = report;
  const loss = (value: number | undefined): string =>
    value === undefined ? "not measured" : `${value.toFixed(4)} (perplexity ${Math.exp(value).toPrecision(4)})`;
  return rows([
    [
      "steps",
      `${integer(summary.steps)}, ${summary.reason}${summary.best ? `, best at step ${integer(summary.best.step)}` : ""}`,
    ],
    ["held-out loss", `${loss(summary.before)} before, ${loss(summary.best?.loss ?? summary.after)} after`],
    ...scoreRows(report),
    ...(report.overfitting ? [["overfitting", overfittingText(report.overfitting)] as const] : []),
    ...(report.context ? [["context", contextText(report.context)] as const] : []),
    [
      "time",
      `${seconds(report.seconds)}, ${integer(report.tokensPerSecond)} learned tokens/s, ${seconds(report.secondsPer1kExamples)} per 1,000 examples`,
    ],
    [
      "peak memory",
      `${bytes(memory.measuredPeakBytes)} measured, ${bytes(memory.predictedBytes)} predicted${onDevice(report.device)}`,
    ],
    ...(report.quantize ? [["weights", servingText(report.quantize)] as const] : []),
    ["written", report.files.map((file) => `${report.out}/${file}`).join(", ")],
    ["report", `${report.out}/report.md`],
  ]);
}
