/** @file `tessera plan`: memory and time of methods and lengths, before anything runs. */

import { Command, Option } from "commander";
import { readModelHeader, resolveModel } from "../../checkpoint/index.js";
import { modelFromConfig } from "../../models/index.js";
import { methods } from "../../peft/index.js";
import { type PlanCell, type PlannedMethod, planTable } from "../../pipeline/tuning/index.js";
import { measureFlops, type Precision, precisions } from "../../plan/index.js";
import { Runtime } from "../../runtime/index.js";
import { type AlgorithmName, algorithms, type OptimizerName, optimizers } from "../../train/index.js";
import { bytes, integer, table } from "../format.js";
import { parseBytes, parseInteger, parsePositive } from "../options.js";

interface Flags {
  readonly methods: PlannedMethod[];
  readonly length?: number[];
  readonly memory?: number;
  readonly gflops?: number;
  readonly batchSize: number;
  readonly algorithm: AlgorithmName;
  readonly selectedTokens?: number;
  readonly optimizer?: OptimizerName;
  readonly precision: Precision;
  readonly json?: boolean;
}

const lengths = (text: string, before: number[] = []): number[] => [...before, parseInteger(8, 2 ** 24)(text)];

export const planCommand = new Command("plan")
  .description("predict memory and time of tuning a model, in a table of methods and lengths; nothing is trained")
  .argument("<model>", "model folder, GGUF or llama2.c file, or a name on the hub")
  .addOption(
    new Option("--methods <names...>", "methods to compare")
      .choices([...Object.keys(methods), "qlora"])
      .default(["full", "lora", "lora-fa", "qlora"]),
  )
  .option("--length <tokens>", "positions per row; may be repeated (default: 512, 2048 and 8192)", lengths)
  .option("--memory <size>", "most memory, such as 4GB: shapes are chosen to fit", parseBytes)
  .option("--gflops <number>", "speed of the machine in matrix products (default: this one's, measured)", parsePositive)
  .option("--batch-size <rows>", "rows per step", parseInteger(1, 2 ** 20), 1)
  .addOption(
    new Option("--algorithm <name>", "how a step is found: lomo keeps a layer's gradients, mezo none")
      .choices(Object.keys(algorithms))
      .default("backprop"),
  )
  .option("--selected-tokens <share>", "share of the positions that are learned from (default: all)", Number)
  .addOption(
    new Option("--optimizer <name>", "its states take memory (default: adamw; with lomo and mezo sgd)").choices(
      Object.keys(optimizers),
    ),
  )
  .addOption(
    new Option("--precision <type>", "how hidden states and what is kept for the backward pass lie in memory")
      .choices(precisions)
      .default("float32"),
  )
  .option("--json", "print the cells as JSON on standard output")
  .action(run);

async function run(name: string, flags: Flags): Promise<void> {
  const { config } = await readModelHeader(await resolveModel(name));
  const flopsPerSecond = flags.gflops === undefined ? await flopsHere() : flags.gflops * 1e9;
  const cells = planTable(modelFromConfig(config), {
    methods: flags.methods,
    lengths: flags.length ?? [512, 2048, 8192],
    algorithm: flags.algorithm,
    selectedTokens: flags.selectedTokens,
    optimizer: flags.optimizer,
    precision: flags.precision,
    batchSize: flags.batchSize,
    memoryBytes: flags.memory,
    flopsPerSecond,
  });
  console.log(flags.json ? JSON.stringify({ flopsPerSecond, cells }) : planText(cells, flopsPerSecond));
}

async function flopsHere(): Promise<number> {
  const runtime = await Runtime.open();
  try {
    return await measureFlops(runtime);
  } finally {
    await runtime.close();
  }
}

function planText(cells: readonly PlanCell[], flopsPerSecond: number): string {
  const header = [
    "method",
    "length",
    "peak",
    "weights",
    "gradients",
    "optimizer",
    "activations",
    "workspace",
    "keeps",
    "s/step",
    "tokens/s",
  ];
  const lines = cells.map((cell) => {
    const start = [cell.method, integer(cell.time)];
    if (!cell.fits) {
      const needed = cell.neededBytes === undefined ? "-" : `needs ${bytes(cell.neededBytes)}`;
      return [...start, needed, ...header.slice(3).map(() => "")];
    }
    const { memory, shape } = cell;
    return [
      ...start,
      bytes(memory.total),
      bytes(memory.weights),
      bytes(memory.gradients),
      bytes(memory.optimizer),
      bytes(memory.activations + memory.residuals),
      bytes(memory.workspace),
      shape.paging ? `${shape.save}, in files` : shape.save,
      cell.secondsPerStep.toPrecision(3),
      integer(cell.tokensPerSecond),
    ];
  });
  const reasons = new Set(
    cells.flatMap((cell) => (cell.fits || cell.neededBytes !== undefined ? [] : [`  ${cell.method}: ${cell.reason}`])),
  );
  const speed = `  at ${(flopsPerSecond / 1e9).toFixed(0)} GFLOP/s in matrix products`;
  return [table(header, lines), "", ...reasons, speed].join("\n");
}
