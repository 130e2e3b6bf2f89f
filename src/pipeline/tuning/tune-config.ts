/** @file What a tuning run is asked to do: one schema for files, flags and the library. */

import { availableParallelism } from "node:os";
import { z } from "zod";
import { ConfigError, messageOf } from "../../base/errors.js";
import { type FrozenFormatName, frozenFormats } from "../../compress/index.js";
import {
  type DataFormatName,
  dataFormats,
  type JsonSchemaObject,
  jsonSchemaOf,
  overLongPolicies,
} from "../../datasets/index.js";
import { type MetricName, metrics } from "../../metrics/index.js";
import { contextScalings } from "../../models/index.js";
import { type MethodName, methods } from "../../peft/index.js";
import { precisions } from "../../plan/index.js";
import { type SelectionName, selections } from "../../prompt/index.js";
import { type AlgorithmName, algorithms, type OptimizerName, optimizers, scheduleNames } from "../../train/index.js";
import { type Recipe, type RecipeName, recipes } from "./recipes/index.js";
import { algorithmDefaults, checkPrecision } from "./tune-algorithm.js";
import { curriculumSchema } from "./tune-curriculum.js";
import { checkDevice, devices } from "./tune-device.js";
import { checkQuantize } from "./tune-quantize.js";

const keys = <K extends string>(registry: Readonly<Record<K, unknown>>): [K, ...K[]] =>
  Object.keys(registry) as [K, ...K[]];

const demonstrations = z.strictObject({
  count: z.int().min(1).describe("How many."),
  select: z
    .enum(keys(selections) as [SelectionName, ...SelectionName[]])
    .default("knn")
    .describe("How they are chosen from the training examples, by BM25 of the questions."),
});

/** Of how many demonstrations and which. */
export type Demonstrations = z.output<typeof demonstrations>;

const paths = z.union([z.string(), z.array(z.string()).min(1)]);

export const tuneConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  task: z.literal("text").optional().describe("To write text; embedding has a schema of its own."),
  recipe: z
    .enum(keys(recipes) as [RecipeName, ...RecipeName[]])
    .optional()
    .describe("Settings under a name, wherever nothing else is said."),
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
      completion: z
        .string()
        .optional()
        .describe("Jinja template of what is learned. Default: the fields of outputSchema, as JSON."),
      system: z.string().optional(),
    })
    .optional()
    .describe("A data format of one's own: rows are checked against the schema, the templates make a chat of each."),
  outputSchema: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("JSON Schema of completions: they are checked and written in its order, and outputs are scored by it."),
  demonstrations: demonstrations
    .optional()
    .describe("Training examples that are shown before each question, and not learned there. Default: none."),
  fewShot: demonstrations
    .optional()
    .describe(
      "Metrics of the base with demonstrations too, for comparison with the tuned model. Default: not measured.",
    ),
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
    .describe("Positions per row. Default: the longest example, at most 2,048 and the model's own, or contextLength."),
  contextLength: z
    .int()
    .min(8)
    .optional()
    .describe("Positions that the model is to have: its rotary positions are scaled, and longer rows trained."),
  ropeScaling: z
    .enum(contextScalings)
    .optional()
    .describe("How positions are scaled for contextLength. Default: as in the base, else yarn."),
  ropeOptions: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Further keys of the scaling, as config.json names them: beta_fast, short_factor, rope_theta, …"),
  curriculum: curriculumSchema.optional().describe("Short rows first, easy rows first. Default: neither."),
  packing: z.boolean().default(true).describe("Several examples in a row, none of which sees another."),
  order: z
    .enum(["shuffled", "length-grouped"])
    .default("shuffled")
    .describe("Of rows: at random, or rows of like length together."),
  method: z
    .enum([...(keys(methods) as [MethodName, ...MethodName[]]), "qlora"])
    .default("lora")
    .describe("What is trained. qlora is lora over frozen weights in nf4."),
  frozen: z
    .enum(["float32", ...(keys(frozenFormats) as [FrozenFormatName, ...FrozenFormatName[]])])
    .default("float32")
    .describe("How weights that are not trained are kept: nf4 takes 4 bits, float16 16."),
  quantize: z
    .enum(["int8", "int4"])
    .optional()
    .describe("Train for weights of so many bits: matrices are read as serving in them would round them (QAT)."),
  precision: z
    .enum(precisions)
    .default("float32")
    .describe(
      "How hidden states and what is kept for the backward pass lie in memory. Weights and computation are float32; float16 scales the loss.",
    ),
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
  beta2: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("Of adamw and adamw8bit: decay of the mean of squared gradients. Default: 0.95."),
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
  metrics: z
    .array(z.enum(keys(metrics) as [MetricName, ...MetricName[]]))
    .optional()
    .describe("Measured of answers to held-out prompts. Default: none; with outputSchema the three that it makes."),
  scored: z.int().min(1).default(32).describe("Held-out prompts that metrics are measured over."),
  sampleTokens: z.int().min(1).default(32),
  memory: z
    .union([z.int().positive(), z.string()])
    .optional()
    .describe("Most memory of the process, such as 4GB; on a device, of the device."),
  paging: z
    .boolean()
    .optional()
    .describe(
      "Keep in files of `out` what a step is not using just now. Default: where the run does not fit otherwise.",
    ),
  pricePerHour: z.number().positive().optional().describe("Of the machine, for the cost in the report."),
  seed: z.int().min(0).default(1),
  threads: z.int().positive().optional(),
  device: z
    .enum(devices)
    .default("cpu")
    .describe("Where steps are taken. webgpu keeps parameters and states in the GPU's memory; it takes an adapter."),
  merge: z
    .boolean()
    .optional()
    .describe("Also write the whole model with the adapter in it. Default: where frozen weights are float32."),
  checkpointSeconds: z.number().min(0).default(60).describe("Time between checkpoints; 0 makes one at every step."),
  out: z.string().default("tuned").describe("Folder of the run."),
});

type ConfigFile = z.input<typeof tuneConfigSchema>;

/** What a user writes: a configuration file, whose schemas may be Zod here. */
export type TuneConfig = Omit<ConfigFile, "rowSchema" | "outputSchema"> & {
  readonly rowSchema?:
    | (Omit<NonNullable<ConfigFile["rowSchema"]>, "schema"> & { readonly schema: z.ZodType | JsonSchemaObject })
    | undefined;
  readonly outputSchema?: z.ZodType | JsonSchemaObject | undefined;
};

/** With all defaults. */
export type TuneSettings = Omit<z.output<typeof tuneConfigSchema>, "method" | "metrics"> & {
  readonly method: MethodName;
  readonly metrics: MetricName[];
} & ReturnType<typeof algorithmDefaults>;

/** @throws ConfigError naming every key that is unknown, out of range, of another algorithm or not there on the device. */
export function tuneSettings(config: unknown): TuneSettings {
  const parsed = tuneConfigSchema.safeParse(withRecipe(withJsonSchemas(config)));
  if (!parsed.success) {
    throw new ConfigError(
      `tuning: the configuration does not fit: ${messageOf(parsed.error)}; tessera tune --print-schema shows it`,
    );
  }
  const { data } = parsed;
  if (data.curriculum?.difficulty && data.order !== "shuffled")
    throw new ConfigError(
      `tuning: curriculum.difficulty "${data.curriculum.difficulty}" orders the rows itself; leave out order "${data.order}"`,
    );
  const settings = { ...data, ...methodAndFrozen(data), ...algorithmDefaults(data), metrics: metricsOf(data) };
  checkDevice(settings);
  checkQuantize(settings);
  checkPrecision(settings);
  return settings;
}

/** Schemas as a manifest keeps them. A schema of rows says what they are before it fills in defaults. */
function withJsonSchemas(config: unknown): unknown {
  if (typeof config !== "object" || config === null) return config;
  const { rowSchema, outputSchema } = config as Partial<TuneConfig>;
  return {
    ...config,
    ...(rowSchema?.schema instanceof z.ZodType && {
      rowSchema: { ...rowSchema, schema: jsonSchemaOf(rowSchema.schema, "input") },
    }),
    ...(outputSchema instanceof z.ZodType && { outputSchema: jsonSchemaOf(outputSchema) }),
  };
}

/** The recipe's settings under the user's own, which win; options of the method are joined. */
function withRecipe(config: unknown): unknown {
  if (typeof config !== "object" || config === null) return config;
  const given = config as Partial<TuneConfig>;
  // an unknown name is the schema's to refuse
  const recipe = Object.values<Recipe>(recipes)
    .find(({ name }) => name === given.recipe)
    ?.settings(given);
  if (!recipe) return config;
  return { ...recipe, ...given, methodOptions: { ...recipe.methodOptions, ...given.methodOptions } };
}

/** @throws ConfigError for metrics of an output schema where there is none. */
function metricsOf({
  metrics: named,
  outputSchema,
  heldOut,
  validation,
  fewShot,
}: z.output<typeof tuneConfigSchema>): MetricName[] {
  const bySchema: MetricName[] = ["valid-json", "object-match", "field-accuracy"];
  const missing = named?.find((name) => bySchema.includes(name) && !outputSchema);
  if (missing) throw new ConfigError(`tuning: metric "${missing}" needs an outputSchema`);
  const canMeasure = heldOut > 0 || validation !== undefined;
  const chosen = named ?? (outputSchema && canMeasure ? bySchema : []);
  if (fewShot && chosen.length === 0) throw new ConfigError("tuning: fewShot needs metrics to measure the base by");
  return chosen;
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

/** Said, not left to the runtime: the order of sums depends on it. */
export const threadsOf = ({ threads }: Pick<TuneSettings, "threads">): number => threads ?? availableParallelism();

/** JSON Schema of a configuration file, for editors. */
export const tuneConfigJsonSchema = (): object => z.toJSONSchema(tuneConfigSchema, { io: "input" });
