/** @file How sentence-transformers says what follows an encoder: modules.json and the configs of its modules. */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import { type Pooling, type PoolingMode, poolingModes } from "../nn/pooling.js";

const moduleSchema = z.array(z.looseObject({ path: z.string(), type: z.string() })).min(1);

const flag = z.boolean().default(false);
const poolingSchema = z.looseObject({
  word_embedding_dimension: z.int().positive().optional(),
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  pooling_mode_cls_token: flag,
  pooling_mode_max_tokens: flag,
  pooling_mode_mean_tokens: flag,
  pooling_mode_mean_sqrt_len_tokens: flag,
  pooling_mode_weightedmean_tokens: flag,
  pooling_mode_lasttoken: flag,
  include_prompt: z.literal(true).default(true),
});

/** Path of a StaticEmbedding, which has no encoder; undefined where modules.json names another model. */
export function staticModulePath(modules: unknown): string | undefined {
  const parsed = moduleSchema.safeParse(modules);
  const first = parsed.success ? parsed.data[0] : undefined;
  return first?.type.split(".").at(-1) === "StaticEmbedding" ? first.path : undefined;
}

const settingsSchema = z.looseObject({ prompts: z.record(z.string(), z.string().nullable()).nullish() });
const lengthSchema = z.looseObject({ max_seq_length: z.int().positive().nullish() });

/** What is written before a text. */
export interface Prompts {
  readonly query: string;
  readonly passage: string;
}

/**
 * The prompts of config_sentence_transformers.json: `query`, and `passage` or `document`. Empty where it names none, as
 * sentence-transformers' `encode_query` and `encode_document` have it.
 * @throws ConfigError when they are no texts.
 */
export function sentencePrompts(settings: unknown): Prompts {
  const parsed = settingsSchema.safeParse(settings ?? {});
  if (!parsed.success) throw new ConfigError(`config_sentence_transformers.json: ${z.prettifyError(parsed.error)}`);
  const { query, document, passage, corpus } = parsed.data.prompts ?? {};
  return { query: query ?? "", passage: document ?? passage ?? corpus ?? "" };
}

/** `max_seq_length` of sentence_bert_config.json: the longest text, in tokens; undefined where it does not say. */
export function sentenceLength(config: unknown): number | undefined {
  const parsed = lengthSchema.safeParse(config ?? {});
  if (!parsed.success) throw new ConfigError(`sentence_bert_config.json: ${z.prettifyError(parsed.error)}`);
  return parsed.data.max_seq_length ?? undefined;
}

/** In the order in which several are put together. */
const flags = [
  ["pooling_mode_cls_token", "cls"],
  ["pooling_mode_max_tokens", "max"],
  ["pooling_mode_mean_tokens", "mean"],
  ["pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len"],
  ["pooling_mode_weightedmean_tokens", "weightedmean"],
  ["pooling_mode_lasttoken", "lasttoken"],
] as const;

export interface SentenceModules {
  /** Folder of the encoder within the model's; "" where it is the same. */
  readonly encoderPath: string;
  readonly pooling: Pooling;
}

/**
 * Reads modules.json. `configs` holds the parsed config.json of each module that has one, by the module's path
 * ("1_Pooling").
 * @throws ConfigError for files that do not say what is needed; UnsupportedError naming a module (Dense) or a mode
 * (weightedmean) that would have to be computed.
 */
export function sentenceModules(modules: unknown, configs: Readonly<Record<string, unknown>>): SentenceModules {
  const parsed = moduleSchema.safeParse(modules);
  if (!parsed.success) throw new ConfigError(`modules.json: ${z.prettifyError(parsed.error)}`);
  const found = parsed.data.map(({ path, type }) => ({ path, kind: type.split(".").at(-1)! }));
  const [encoder, pooling, ...rest] = found;
  const unknown = found.find(({ kind }) => !["Transformer", "Pooling", "Normalize"].includes(kind));
  if (unknown) throw new UnsupportedError(`modules.json: a module ${unknown.kind} (${unknown.path}) is not supported`);
  if (encoder?.kind !== "Transformer" || pooling?.kind !== "Pooling" || rest.some(({ kind }) => kind !== "Normalize")) {
    throw new ConfigError(
      `modules.json: expected Transformer, Pooling and perhaps Normalize, got ${found.map(({ kind }) => kind).join(", ")}`,
    );
  }
  return {
    encoderPath: encoder.path,
    pooling: { modes: poolingOf(configs[pooling.path], pooling.path), isNormalized: rest.length > 0 },
  };
}

function poolingOf(config: unknown, path: string): PoolingMode[] {
  const parsed = poolingSchema.safeParse(config);
  if (!parsed.success) throw new ConfigError(`${path}/config.json: ${z.prettifyError(parsed.error)}`);
  const named = parsed.data.pooling_mode;
  const modes =
    named === undefined ? flags.filter(([key]) => parsed.data[key]).map(([, mode]) => mode) : [named].flat();
  if (modes.length === 0) throw new ConfigError(`${path}/config.json: no pooling mode is switched on`);
  return modes.map((mode) => {
    // as sentence-transformers 5 and later call it
    const plain = mode === "mean_sqrt_len_tokens" ? "mean_sqrt_len" : mode;
    const known = poolingModes.find((name) => name === plain);
    if (!known) {
      throw new UnsupportedError(
        `${path}/config.json: pooling mode ${mode} is not supported; supported are: ${poolingModes.join(", ")}`,
      );
    }
    return known;
  });
}

/** What is written beside an encoder. */
export interface SentenceSettings {
  readonly pooling: Pooling;
  readonly prompts: Prompts;
  /** Longest text in tokens. */
  readonly maxTokens: number;
  /** Length of the encoder's vectors. */
  readonly width: number;
}

/**
 * The folders and JSON files by which sentence-transformers (from 2.3 on) finds an encoder's pooling, length and prompts.
 * The encoder itself lies in the folder's root.
 */
export function sentenceModuleFiles({ pooling, prompts, maxTokens, width }: SentenceSettings): {
  readonly folders: readonly string[];
  readonly files: Readonly<Record<string, unknown>>;
} {
  const kinds = ["Transformer", "Pooling", ...(pooling.isNormalized ? ["Normalize"] : [])];
  const pathOf = (kind: string, idx: number): string => (idx === 0 ? "" : `${idx}_${kind}`);
  const modes = Object.fromEntries(flags.map(([key, mode]) => [key, pooling.modes.some((name) => name === mode)]));
  return {
    folders: kinds.slice(1).map((kind, i) => pathOf(kind, i + 1)),
    files: {
      "modules.json": kinds.map((kind, idx) => ({
        idx,
        name: String(idx),
        path: pathOf(kind, idx),
        type: `sentence_transformers.models.${kind}`,
      })),
      "1_Pooling/config.json": { word_embedding_dimension: width, ...modes, include_prompt: true },
      "sentence_bert_config.json": { max_seq_length: maxTokens, do_lower_case: false },
      "config_sentence_transformers.json": {
        prompts: { query: prompts.query, document: prompts.passage },
        default_prompt_name: null,
        similarity_fn_name: "cosine",
      },
    },
  };
}
