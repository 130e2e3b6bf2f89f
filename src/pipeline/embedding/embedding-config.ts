/** @file What a tuning run of an encoder is asked to do. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import { type OptimizerName, optimizers, scheduleNames } from "../../train/index.js";

const paths = z.union([z.string(), z.array(z.string()).min(1)]);

export const embeddingConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  task: z.literal("embedding").default("embedding"),
  base: z.string().describe("Folder of an encoder (BERT, RoBERTa, DistilBERT, MPNet), or a name on the hub."),
  data: paths.describe("JSON or JSONL files of pairs, or folders of these."),
  validation: paths.optional().describe("Files to hold out instead of a share of the data."),
  heldOut: z.number().min(0).lt(1).default(0.1).describe("Share of the passages that is held out."),
  columns: z
    .strictObject({ query: z.string().optional(), positive: z.string().optional(), negative: z.string().optional() })
    .default({})
    .describe("Columns by what they hold. Default: query and positive, anchor and positive, question and answer, …"),
  negatives: z.int().min(0).optional().describe("Hard negatives per pair. Default: as many as every row has."),
  prompts: z
    .strictObject({ query: z.string().optional(), passage: z.string().optional() })
    .default({})
    .describe("Written before each text. Default: the base's own."),
  length: z.int().min(8).optional().describe("Longest text in tokens. Default: what the base takes."),
  overLong: z.enum(["error", "keep-start"]).default("error").describe("What becomes of longer texts."),
  scale: z.number().positive().default(20).describe("What cosines are multiplied by: 1 / temperature."),
  symmetric: z.boolean().default(false).describe("Passages look for their queries too."),
  method: z.literal("full").default("full").describe("What is trained: all parameters."),
  batchSize: z.int().min(2).default(64).describe("Pairs per step: each query has all its passages to choose from."),
  microTokens: z.int().min(8).default(4096).describe("Positions in memory at once; the batch may be of any size."),
  optimizer: z.enum(Object.keys(optimizers) as [OptimizerName, ...OptimizerName[]]).default("adamw"),
  learningRate: z.number().positive().default(2e-5).describe("Peak."),
  schedule: z.enum(scheduleNames as [string, ...string[]]).default("linear"),
  warmup: z.number().min(0).lt(1).default(0.1).describe("Share of the steps over which the rate grows."),
  weightDecay: z.number().min(0).default(0),
  clipNorm: z.number().positive().nullable().default(1).describe("Longest gradient."),
  epochs: z.number().positive().default(1),
  steps: z.int().positive().optional().describe("Instead of epochs."),
  evaluations: z.int().min(1).default(4).describe("Times that held-out queries are searched for."),
  seed: z.int().min(0).default(1),
  threads: z.int().positive().optional(),
  checkpointSteps: z.int().min(1).default(100).describe("Steps between checkpoints."),
  out: z.string().default("tuned").describe("Folder of the run."),
});

export type EmbeddingConfig = z.input<typeof embeddingConfigSchema>;
export type EmbeddingSettings = z.output<typeof embeddingConfigSchema>;

/** @throws ConfigError naming every key that is unknown or out of range. */
export function embeddingSettings(config: unknown): EmbeddingSettings {
  const parsed = embeddingConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `tuning an embedder: the configuration does not fit: ${z.prettifyError(parsed.error)}; tessera tune --task embedding --print-schema shows it`,
  );
}

/** JSON Schema of a configuration file, for editors. */
export const embeddingConfigJsonSchema = (): object => z.toJSONSchema(embeddingConfigSchema, { io: "input" });
