/** @file What a tuning run is asked to do: one schema for files, flags and the library. */

import { z } from "zod";
import { ConfigError, messageOf } from "../../base/errors.js";
import { type FrozenFormatName, frozenFormats } from "../../compress/index.js";
import { type DataFormatName, dataFormats, overLongPolicies } from "../../datasets/index.js";
import { type MethodName, methods } from "../../peft/index.js";
import { type AlgorithmName, algorithms, type OptimizerName, optimizers, scheduleNames } from "../../train/index.js";
import { algorithmDefaults } from "./tune-algorithm.js";

const keys = <K extends string>(registry: Readonly<Record<K, unknown>>): [K, ...K[]] =>
  Object.keys(registry) as [K, ...K[]];

const paths = z.union([z.string(), z.array(z.string()).min(1)]);

export const tuneConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  base: z.string().describe("Model folder, GGUF or llama2.c file, or a name on the hub."),
  data: paths.describe("JSON, JSONL or text files, folders of these."),
  validation: paths.optional().describe("Files to hold out instead of a share of the data."),
  heldOut: z.number().min(0).lt(1).default(0.1).describe("Share of the examples that is held out."),
  format: z
    .enum(keys(dataFormats) as [DataFormatName, ...DataFormatName[]])
    .optional()
    .describe("Default: found by the fields."),
  columns: z.record(z.string(), z.string()).optional().describe("Fields of the format by the names that rows have."),
  rowSchema: z
    .strictObject({
      schema: z.record(z.string(), z.unknown()).describe("JSON Schema of a row."),
      prompt: z.string().describe("Jinja template of the prompt over the row's fields."),
      completion: z.string().describe("Jinja template of what is learned."),
      system: z.string().optional(),
    })
    .optional()
    .describe("A data format of one's own: rows are checked against the schema, the templates make a chat of each."),
  duplicates: z.enum(["keep", "drop"]).default("keep"),
  lossOn: z.enum(["completions", "last", "all"]).default("completions").describe("What is learned of a chat."),
  overLong: z
    .enum(overLongPolicies)
    .optional()
    .describe("What becomes of longer examples. Default: text is split, others are an error."),
  length: z
    .int()
    .min(8)
    .optional()
    .describe("Positions per row. Default: the longest example, at most 2,048 and the model's own."),
  packing: z.boolean().default(true).describe("Several examples in a row, none of which sees another."),
  method: z
    .enum([...(keys(methods) as [MethodName, ...MethodName[]]), "qlora"])
    .default("lora")
    .describe("What is trained. qlora is lora over frozen weights in nf4."),
  frozen: z
    .enum(["float32", ...(keys(frozenFormats) as [FrozenFormatName, ...FrozenFormatName[]])])
    .default("float32")
    .describe("How weights that are not trained are kept: nf4 takes 4 bits, float16 16."),
  methodOptions: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("As adapter_config.json names them: r, lora_alpha, …"),
  targets: z.array(z.string()).optional().describe("Linear maps to adapt. Default: the model family's own list."),
  alsoTrain: z
    .array(z.string())
    .default([])
    .describe("Parameters of the base that are trained too: groups or modules."),
  algorithm: z
    .enum(keys(algorithms) as [AlgorithmName, ...AlgorithmName[]])
    .default("backprop")
    .describe("How a step is found: all gradients kept, a layer's at a time (lomo), or forward passes alone (mezo)."),
  epsilon: z.number().positive().optional().describe("Of mezo: how far parameters are moved. Default: 1e-3."),
  clipValue: z.number().positive().optional().describe("Of lomo: elements of gradients are cut to it. Default: none."),
  selectedTokens: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("Share of a row's positions, drawn anew for each step, that are learned from: TokenTune. Default: all."),
  optimizer: z
    .enum(keys(optimizers) as [OptimizerName, ...OptimizerName[]])
    .optional()
    .describe("Default: adamw; with lomo and mezo sgd, which they need."),
  learningRate: z
    .number()
    .positive()
    .optional()
    .describe("Peak. Default: 2e-4 for adapters, 2e-5 for the base; lomo 0.03; mezo 1e-4 and 1e-6."),
  schedule: z.enum(scheduleNames as [string, ...string[]]).default("cosine"),
  warmup: z.number().min(0).lt(1).default(0.03).describe("Share of the steps over which the rate grows."),
  weightDecay: z.number().min(0).default(0),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .optional()
    .describe("Longest gradient. Default: 1; with mezo none. With lomo it takes a second backward pass."),
  batchSize: z.int().positive().default(8).describe("Rows per step; the plan divides them into micro-batches."),
  epochs: z.number().positive().default(3),
  steps: z.int().positive().optional().describe("Instead of epochs."),
  evaluations: z.int().min(1).default(6).describe("Times that held-out loss is measured."),
  patience: z.int().positive().nullable().default(3).describe("Evaluations without a better loss that end the run."),
  samples: z.int().min(0).default(1).describe("Held-out prompts that are continued at every evaluation."),
  sampleTokens: z.int().min(1).default(32),
  memory: z.union([z.int().positive(), z.string()]).optional().describe("Most memory of the process, such as 4GB."),
  paging: z
    .boolean()
    .optional()
    .describe(
      "Keep in files of `out` what a step is not using just now. Default: where the run does not fit otherwise.",
    ),
  pricePerHour: z.number().positive().optional().describe("Of the machine, for the cost in the report."),
  seed: z.int().min(0).default(1),
  threads: z.int().positive().optional(),
  merge: z
    .boolean()
    .optional()
    .describe("Also write the whole model with the adapter in it. Default: where frozen weights are float32."),
  checkpointSeconds: z.number().min(0).default(60).describe("Time between checkpoints; 0 makes one at every step."),
  out: z.string().default("tuned").describe("Folder of the run."),
});

/** What a user writes. */
export type TuneConfig = z.input<typeof tuneConfigSchema>;
/** With all defaults. */
export type TuneSettings = Omit<z.output<typeof tuneConfigSchema>, "method"> & {
  readonly method: MethodName;
} & ReturnType<typeof algorithmDefaults>;

/** @throws ConfigError naming every key that is unknown, out of range or of another algorithm. */
export function tuneSettings(config: unknown): TuneSettings {
  const parsed = tuneConfigSchema.safeParse(config);
  if (parsed.success) return { ...parsed.data, ...methodAndFrozen(parsed.data), ...algorithmDefaults(parsed.data) };
  throw new ConfigError(
    `tuning: the configuration does not fit: ${messageOf(parsed.error)}; tessera tune --print-schema shows it`,
  );
}

function methodAndFrozen({
  method,
  frozen,
}: z.output<typeof tuneConfigSchema>): Pick<TuneSettings, "method" | "frozen"> {
  if (method !== "qlora") return { method, frozen };
  if (frozen === "float16") {
    throw new ConfigError('tuning: method "qlora" keeps frozen weights in nf4; for float16, give method "lora"');
  }
  return { method: "lora", frozen: "nf4" };
}

/** JSON Schema of a configuration file, for editors. */
export const tuneConfigJsonSchema = (): object => z.toJSONSchema(tuneConfigSchema, { io: "input" });
