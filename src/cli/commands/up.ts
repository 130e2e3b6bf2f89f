/** @file `tessera up <folder>`: documents in, a page that answers out. */

import { Command, Option } from "commander";
import type { WeightFormat } from "../../engine/index.js";
import { openKnowledge } from "../../pipeline/knowledge.js";
import type { TuningMethod } from "../../pipeline/tune.js";
import { runUp, type UpEvent, type UpOptions, type UpResult } from "../../pipeline/up.js";
import { listen, readPageScript } from "../../server/adapters/node.js";
import { createApp } from "../../server/app.js";
import { plural, seconds } from "../format.js";
import { parseBytes, parseInteger, parseSeconds } from "../options.js";
import { StatusLine } from "../status-line.js";
import { stopSignal } from "../stop-signal.js";
import { TrainingStatus } from "../training-status.js";
import { planText, reportText } from "../up-text.js";

interface Flags {
  readonly base?: string;
  readonly method?: TuningMethod;
  readonly time: number;
  readonly memory?: number;
  readonly weights: WeightFormat;
  readonly seed: number;
  readonly workspace?: string;
  readonly serve: boolean;
  readonly json?: boolean;
  readonly port: number;
  readonly host: string;
}

export const upCommand = new Command("up")
  .description("index a folder of documents, tune a small language model on it, and serve both on a local page")
  .argument("<folder>", "folder of documents (Markdown, text, HTML, PDF, ...)")
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
  .option("--workspace <folder>", "where index, tokenizer and runs are kept (default: below .tessera)")
  .option("--no-serve", "end after the report")
  .option("--json", "print the report as JSON on standard output")
  .option("--port <port>", "port of the page", parseInteger(0, 65535), 4321)
  .option("--host <host>", "address to serve on", "127.0.0.1")
  .action(run);

async function run(folder: string, flags: Flags): Promise<void> {
  const status = new StatusLine();
  const result = await stoppable(folder, flags, status);
  if (flags.json) console.log(JSON.stringify(result.report));
  if (!flags.serve) {
    await result.close();
    return;
  }
  const app = createApp(await openKnowledge(result), { pageScript: await readPageScript(), host: flags.host });
  const server = await listen(app, flags);
  status.print(`\nServing on ${server.url}, ctrl-C ends it.`);
  process.once("SIGINT", async () => {
    await server.close();
    await result.close();
    process.exit(0);
  });
}

/** Only the job is stopped so; later ctrl-C ends the server. */
async function stoppable(folder: string, flags: Flags, status: StatusLine): Promise<UpResult> {
  using stop = stopSignal(status);
  return await runUp(optionsOf(folder, flags, stop.signal), reporter(status));
}

function optionsOf(folder: string, flags: Flags, signal: AbortSignal): UpOptions {
  const { base, method, time, memory, weights, seed, workspace } = flags;
  return {
    folder,
    seconds: time,
    weights,
    seed,
    signal,
    ...(base !== undefined && { base }),
    ...(method !== undefined && { method }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(workspace !== undefined && { workspace }),
  };
}

/** Shows a job's events as they come. */
function reporter(status: StatusLine): (event: UpEvent) => void {
  status.update("reading");
  let steps = 0;
  let training: TrainingStatus | undefined;
  return (event) => {
    if (event.type === "plan") {
      steps = event.plan.tuning.steps;
      status.print(`Plan\n${planText(event.plan)}`);
    } else if (event.type === "index") {
      const { chunks, unchanged } = event.result;
      status.print(
        `\nIndexed ${plural(chunks, "chunk")} in ${seconds(event.seconds)}; ${plural(unchanged, "document")} unchanged`,
      );
    } else if (event.type === "train") {
      training ??= new TrainingStatus(status, steps);
      training.show(event.event);
    } else {
      status.print(`\nReport\n${reportText(event.report)}`);
    }
  };
}
