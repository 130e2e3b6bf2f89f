/** @file A run that gives its model a longer context: its config and files, before training and after. */

import { z } from "zod";
import { ConfigError, DataError } from "../../base/errors.js";
import type { JsonValue } from "../../checkpoint/index.js";
import { extendContext, modelFromConfig } from "../../models/index.js";
import { methods } from "../../peft/index.js";
import type { TextModel } from "../../presets/index.js";
import type { PackedDataset } from "../../train/index.js";
import type { TuneSettings } from "./tune-config.js";

/** What a run changes of its model's config.json. */
export interface ContextExtension {
  /** Positions before and after. */
  readonly from: number;
  readonly to: number;
  readonly keys: Readonly<Record<string, JsonValue>>;
}

export type ContextSettings = Pick<
  TuneSettings,
  "contextLength" | "ropeScaling" | "ropeOptions" | "method" | "merge" | "length"
>;

/**
 * What `contextLength` asks for; undefined where it is not given.
 * @throws UnsupportedError for a model whose positions cannot be scaled, ConfigError for settings that contradict each other.
 */
export function contextExtension(
  { model }: Pick<TextModel, "model">,
  { contextLength, ropeScaling, ropeOptions, method, merge, length }: ContextSettings,
): ContextExtension | undefined {
  if (contextLength === undefined) {
    const unused = ropeScaling !== undefined ? "ropeScaling" : Object.keys(ropeOptions)[0] && "ropeOptions";
    if (!unused) return undefined;
    throw new ConfigError(`tuning: ${unused} says how a context is extended; give contextLength with it`);
  }
  const { merging } = methods[method];
  if (typeof merging === "string") {
    throw new ConfigError(
      `tuning: the scaling of a longer context goes with the whole model, and ${method} has no merged model (${merging}); take lora, longlora or full`,
    );
  }
  if (merge === false) {
    throw new ConfigError(
      "tuning: the scaling of a longer context goes with the merged model, an adapter alone cannot carry it; leave merge out",
    );
  }
  const keys = extendContext(model, {
    length: contextLength,
    ...(ropeScaling && { scaling: ropeScaling }),
    options: ropeOptions,
  });
  const from = model.maxPositions;
  if (length !== undefined && length <= from) {
    throw new ConfigError(
      `tuning: rows of ${length} positions teach nothing of a context beyond ${from}; leave length out, or give up to ${contextLength}`,
    );
  }
  return { from, to: contextLength, keys: z.record(z.string(), z.json()).parse(keys) };
}

/** The model as it is with the longer context: the same parameters, other positions. */
export function extended<Model extends TextModel>(loaded: Model, { to, keys }: ContextExtension): Model {
  const config = { ...loaded.config, ...keys };
  return {
    ...loaded,
    config,
    model: modelFromConfig(config, loaded.families),
    tokenizerFiles: withMaxLength(loaded.tokenizerFiles, to),
  };
}

const TOKENIZER_CONFIG = "tokenizer_config.json";

/** Transformers warns of longer texts than `model_max_length`, and servers refuse them. */
function withMaxLength(files: ReadonlyMap<string, Uint8Array>, length: number): ReadonlyMap<string, Uint8Array> {
  const bytes = files.get(TOKENIZER_CONFIG);
  if (!bytes) return files;
  const config = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
  const { model_max_length: most } = config;
  if (typeof most !== "number" || most >= length) return files;
  const changed = JSON.stringify({ ...config, model_max_length: length }, null, 2);
  return new Map([...files, [TOKENIZER_CONFIG, new TextEncoder().encode(`${changed}\n`)]]);
}

/** @throws DataError when no example reaches beyond the context that the model had. */
export function expectLongTexts({ from, to }: ContextExtension, { positions }: PackedDataset): void {
  const longest = positions.reduce((most, position) => Math.max(most, position), 0) + 1;
  if (longest > from) return;
  throw new DataError(
    `tuning: a context of ${to} positions is to be learned, but no text in a row is longer than ${longest}, and the model has ${from} already; give longer texts`,
  );
}
