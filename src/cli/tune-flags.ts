/** @file The flags of `tessera tune`, each over the same key of a configuration file. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { frozenFormats } from "../compress/index.js";
import { dataFormats, overLongPolicies } from "../datasets/index.js";
import { metrics } from "../metrics/index.js";
import { contextScalings } from "../models/index.js";
import { methods } from "../peft/index.js";
import { devices, recipes, type TuneConfig } from "../pipeline/tuning/index.js";
import { precisions } from "../plan/index.js";
import { algorithms, optimizers, scheduleNames } from "../train/index.js";
import { parseBytes, parseInteger, parsePositive, parseShare, readJsonObject } from "./options.js";

/** What commander gives for the flags. */
export interface TuneFlags {
  readonly config?: string;
  readonly base?: string;
  readonly data?: string[];
  readonly validation?: string[];
  readonly set?: Record<string, unknown>;
  readonly option?: Record<string, unknown>;
  readonly outputSchema?: string;
  readonly ropeOption?: Record<string, unknown>;
  readonly curriculum?: Record<string, unknown>;
  readonly packing?: boolean;
  readonly merge?: boolean;
  readonly [key: string]: unknown;
}

/** Flags that are keys of the configuration, with the names that commander gives them. */
const KEYS = [
  "recipe",
  "base",
  "format",
  "heldOut",
  "duplicates",
  "lossOn",
  "overLong",
  "length",
  "order",
  "contextLength",
  "ropeScaling",
  "method",
  "frozen",
  "quantize",
  "precision",
  "targets",
  "alsoTrain",
  "algorithm",
  "selectedTokens",
  "optimizer",
  "learningRate",
  "schedule",
  "warmup",
  "weightDecay",
  "batchSize",
  "epochs",
  "steps",
  "evaluations",
  "patience",
  "metrics",
  "scored",
  "samples",
  "sampleTokens",
  "checkpointSeconds",
  "memory",
  "paging",
  "pricePerHour",
  "seed",
  "threads",
  "device",
  "out",
  "data",
  "validation",
] as const;

/** `r=16` → { r: 16 }: values are JSON where they can be read as such. */
export function assignment(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const [key, ...rest] = text.split("=");
  if (!key || rest.length === 0) throw new InvalidArgumentError(`expected name=value, got "${text}"`);
  const value = rest.join("=");
  try {
    return { ...before, [key]: JSON.parse(value) };
  } catch {
    return { ...before, [key]: value };
  }
}

export function addTuneFlags(command: Command): Command {
  const count = parseInteger(1, 2 ** 31 - 1);
  return command
    .option("--config <file>", "JSON file with any of what follows; flags override it")
    .addOption(
      new Option(
        "--recipe <name>",
        `settings under a name, wherever nothing else is said: ${Object.values(recipes)
          .map(({ name, purpose }) => `${name} (${purpose})`)
          .join("; ")}`,
      ).choices(Object.keys(recipes)),
    )
    .addOption(
      new Option(
        "--task <task>",
        "what the model is to do: write text, or find passages (an encoder, tuned on pairs) (default: text)",
      ).choices(["text", "embedding"]),
    )
    .option("--base <model>", "model folder, GGUF or llama2.c file, or a name on the hub")
    .option("--data <paths...>", "JSON, JSONL or text files, or folders of these")
    .option("--validation <paths...>", "files to hold out instead of a share of the data")
    .option("--held-out <share>", "share of the examples that is held out (default: 0.1)", parseShare)
    .addOption(
      new Option("--format <format>", "of the data (default: found by the fields)").choices(Object.keys(dataFormats)),
    )
    .addOption(new Option("--duplicates <what>", "keep or drop exact duplicates").choices(["keep", "drop"]))
    .addOption(new Option("--loss-on <what>", "what is learned of a chat").choices(["completions", "last", "all"]))
    .addOption(
      new Option("--over-long <policy>", "what becomes of examples longer than a row").choices(overLongPolicies),
    )
    .option("--length <tokens>", "positions per row (default: the longest example, at most 2,048)", count)
    .option(
      "--context-length <positions>",
      "extend the model's context to so many positions, and train on rows as long",
      count,
    )
    .addOption(
      new Option(
        "--rope-scaling <type>",
        "how positions are scaled for it (default: as in the base, else yarn)",
      ).choices(contextScalings),
    )
    .option("--rope-option <name=value>", "further key of the scaling, as config.json names it", assignment)
    .option(
      "--curriculum <name=value>",
      "start=128: rows cut to so many positions at first; share=0.5: of the steps, until they are whole; difficulty=length or loss: easy rows first; may be repeated",
      assignment,
    )
    .option("--no-packing", "one example per row")
    .addOption(new Option("--order <order>", "of rows (default: shuffled)").choices(["shuffled", "length-grouped"]))
    .addOption(
      new Option("--method <method>", "what is trained (default: lora)").choices([...Object.keys(methods), "qlora"]),
    )
    .addOption(
      new Option("--frozen <form>", "how weights that are not trained are kept (default: float32)").choices([
        "float32",
        ...Object.keys(frozenFormats),
      ]),
    )
    .addOption(
      new Option(
        "--quantize <format>",
        "train for weights of so many bits: matrices are read as serving in them rounds them (QAT)",
      ).choices(["int8", "int4"]),
    )
    .addOption(
      new Option(
        "--precision <type>",
        "how hidden states and what is kept for the backward pass lie in memory (default: float32)",
      ).choices(precisions),
    )
    .option("--option <name=value>", "option of the method, such as r=16; may be repeated", assignment)
    .option("--targets <names...>", "linear maps to adapt (default: the family's own list)")
    .option(
      "--also-train <names...>",
      "parameters of the base to train too: embedding, head, norms, biases, or modules",
    )
    .addOption(
      new Option(
        "--algorithm <name>",
        "how a step is found: by all gradients, a layer's at a time (lomo), or forward passes alone (mezo) (default: backprop)",
      ).choices(Object.keys(algorithms)),
    )
    .option(
      "--selected-tokens <share>",
      "share of the positions that are learned from, others drawn for each step (default: all)",
      Number,
    )
    .addOption(
      new Option("--optimizer <name>", "default: adamw; with lomo and mezo sgd").choices(Object.keys(optimizers)),
    )
    .option("--learning-rate <rate>", "at its peak", parsePositive)
    .addOption(new Option("--schedule <name>", "default: cosine").choices(scheduleNames))
    .option("--warmup <share>", "share of the steps over which the rate grows (default: 0.03)", parseShare)
    .option("--weight-decay <rate>", "default: 0", Number)
    .option("--batch-size <rows>", "rows per step (default: 8)", count)
    .option("--epochs <number>", "passes over the data (default: 3)", parsePositive)
    .option("--steps <number>", "instead of epochs", count)
    .option("--evaluations <number>", "times that held-out loss is measured (default: 6)", count)
    .option("--patience <number>", "evaluations without a better loss that end the run (default: 3)", count)
    .option("--output-schema <file>", "JSON Schema of what is learned; outputs are checked, written and scored by it")
    .addOption(
      new Option("--metrics <names...>", "measured of answers to held-out prompts").choices(Object.keys(metrics)),
    )
    .option("--scored <number>", "held-out prompts that metrics are measured over (default: 32)", count)
    .option("--samples <number>", "held-out prompts continued at every evaluation (default: 1)", parseInteger(0, 100))
    .option("--sample-tokens <number>", "tokens of each (default: 32)", count)
    .option("--checkpoint-seconds <seconds>", "time between checkpoints (default: 60)", Number)
    .option(
      "--memory <size>",
      "most memory of the process, or of the device, such as 4GB; the plan is made to fit",
      parseBytes,
    )
    .option("--paging", "keep in files what a step is not using (default: where the run does not fit otherwise)")
    .option("--no-paging", "keep everything in memory")
    .option("--price-per-hour <amount>", "of the machine, for the cost in the report", parsePositive)
    .option("--seed <number>", "seed of everything random (default: 1)", parseInteger(0, 2 ** 31 - 1))
    .option("--threads <number>", "default: as many as the machine has", count)
    .addOption(
      new Option("--device <name>", "where steps are taken; webgpu takes an adapter (default: cpu)").choices(devices),
    )
    .option("--merge", "also write the whole model with the adapter in it (default: where frozen weights are float32)")
    .option("--no-merge", "write the adapter only")
    .option("--out <folder>", "folder of the run (default: tuned)");
}

/** The configuration file's keys under the flags'. */
export function tuneConfig(flags: TuneFlags): TuneConfig {
  const file = flags.config === undefined ? {} : readJsonObject(flags.config);
  const given = Object.fromEntries(KEYS.flatMap((key) => (flags[key] === undefined ? [] : [[key, flags[key]]])));
  const methodOptions = { ...(file.methodOptions as object | undefined), ...flags.option };
  const ropeOptions = { ...(file.ropeOptions as object | undefined), ...flags.ropeOption };
  return {
    ...file,
    ...given,
    methodOptions,
    ...(flags.outputSchema !== undefined && { outputSchema: readJsonObject(flags.outputSchema) }),
    ropeOptions,
    ...((file.curriculum ?? flags.curriculum) && {
      curriculum: { ...(file.curriculum as object | undefined), ...flags.curriculum },
    }),
    ...(flags.packing === false && { packing: false }),
    ...(flags.merge !== undefined && { merge: flags.merge }),
  } as TuneConfig;
}
