/** @file `tessera up <folder>`: documents in, a page that answers out. */

import { Command, Option } from "commander";
import { messageOf } from "../../base/errors.js";
import type { WeightFormat } from "../../engine/index.js";
import { openStudio } from "../../pipeline/studio/studio.js";
import type { TuningMethod } from "../../pipeline/tune.js";
import { runUp, type UpEvent, type UpRequest } from "../../pipeline/up.js";
import { plural, seconds } from "../format.js";
import { parseBytes, parseInteger, parseSeconds } from "../options.js";
import { StatusLine } from "../status-line.js";
import { stopSignal } from "../stop-signal.js";
import { type AddressFlags, addAddressOptions, endAtInterrupt, serveStudio } from "../studio-server.js";
import { TrainingStatus } from "../training-status.js";
import { planText, reportText } from "../up-text.js";

export interface UpFlags {
  readonly base?: string;
  readonly method?: TuningMethod;
  readonly time: number;
  readonly memory?: number;
  readonly weights: WeightFormat;
  readonly seed: number;
  readonly workspace?: string;
}

interface Flags extends UpFlags, AddressFlags {
  readonly serve: boolean;
  readonly json?: boolean;
}

/** What decides the job, for every command that can start it. */
export function addUpOptions(command: Command): Command {
  return command
    .option(
      "--base <path>",
      "tune this checkpoint (a model folder, GGUF or llama2.c file, or a name on the hub) instead of training from scratch",
    )
    .addOption(
      new Option(
        "--method <method>",
        "what is trained of a base (default: full below 20 M parameters, else lora)",
      ).choices(["full", "lora"]),
    )
    .option("--time <time>", "time for training, such as 60s or 10m", parseSeconds, 60)
    .option("--memory <size>", "most memory of the process, such as 4GB; the plan is made to fit", parseBytes)
    .addOption(
      new Option("--weights <format>", "weights for serving").choices(["float32", "int8", "int4"]).default("int8"),
    )
    .option("--seed <number>", "seed of everything random", parseInteger(0, 2 ** 31 - 1), 1)
    .option("--workspace <folder>", "where index, tokenizer and runs are kept (default: below .tessera)");
}

export const upCommand = addAddressOptions(
  addUpOptions(
    new Command("up")
      .description("index a folder of documents, tune a small language model on it, and serve both on a local page")
      .argument("<folder>", "folder of documents (Markdown, text, HTML, PDF, ...)"),
  )
    .option("--no-serve", "end after the report")
    .option("--json", "print the report as JSON on standard output"),
).action(run);

async function run(folder: string, flags: Flags): Promise<void> {
  const status = new StatusLine();
  if (flags.serve) await runServed(folder, flags, status);
  else await runAlone(folder, flags, status);
}

async function runAlone(folder: string, flags: Flags, status: StatusLine): Promise<void> {
  using stop = stopSignal(status);
  const result = await runUp({ ...upOptionsOf(folder, flags), signal: stop.signal }, reporter(status));
  if (flags.json) console.log(JSON.stringify(result.report));
  await result.close();
}

/** The page is there from the start, and shows the job as it goes on. */
async function runServed(folder: string, flags: Flags, status: StatusLine): Promise<void> {
  const show = reporter(status);
  const studio = await openStudio({
    ...upOptionsOf(folder, flags),
    onEvent(event, rssBytes) {
      show(event, rssBytes);
      if (event.type === "report" && flags.json) console.log(JSON.stringify(event.report));
    },
  });
  const server = await serveStudio(studio, flags, (text) => status.print(text));
  endAtInterrupt(status, server, studio);
  studio.job.start();
  // the page says what went wrong too, and from there it can be started again
  studio.job.ended?.catch((thrown) => status.print(`\n${messageOf(thrown)}`));
}

export function upOptionsOf(folder: string, flags: UpFlags): UpRequest {
  const { base, method, time, memory, weights, seed, workspace } = flags;
  return {
    folder,
    seconds: time,
    weights,
    seed,
    ...(base !== undefined && { base }),
    ...(method !== undefined && { method }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(workspace !== undefined && { workspace }),
  };
}

/** Shows a job's events as they come. */
function reporter(status: StatusLine): (event: UpEvent, memoryBytes?: number) => void {
  status.update("reading");
  let steps = 0;
  let training: TrainingStatus | undefined;
  return (event, memoryBytes) => {
    if (event.type === "document") status.update(`indexing ${event.path}`);
    else if (event.type === "plan") {
      steps = event.plan.tuning.steps;
      status.print(`Plan\n${planText(event.plan)}`);
    } else if (event.type === "index") {
      const { numChunks, unchanged, seconds: took } = event.report;
      status.print(
        `Indexed: ${plural(numChunks, "chunk")} in ${seconds(took)}; ${plural(unchanged, "document")} unchanged\n`,
      );
    } else if (event.type === "train") {
      training ??= new TrainingStatus(status, steps);
      training.show(event.event, memoryBytes);
    } else {
      status.print(`\nReport\n${reportText(event.report)}`);
    }
  };
}
