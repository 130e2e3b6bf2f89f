/** @file Values of a Hugging Face config, checked, and the rotary settings in their old and new spelling. */

import { ConfigError, UnsupportedError } from "../../../base/errors.js";
import { isPlainObject, type JsonValue } from "../../json.js";
import type { HfConfig } from "./architecture.js";

/** @throws ConfigError when the key is missing or not a number. */
export function numberOf(config: HfConfig, key: string): number {
  const value = optionalNumberOf(config, key);
  if (value === undefined)
    throw new ConfigError(`writing GGUF: expected a number as ${key} in the config, found nothing`);
  return value;
}

/** `null` and a missing key are the same in these configs. */
export function optionalNumberOf(config: HfConfig, key: string): number | undefined {
  const value = config[key] ?? undefined;
  if (value === undefined || typeof value === "number") return value;
  throw new ConfigError(`writing GGUF: expected a number as ${key} in the config, found ${JSON.stringify(value)}`);
}

/** @throws UnsupportedError unless a key has one of the values that llama.cpp computes with, or is not there. */
export function expectValue(config: HfConfig, key: string, allowed: readonly JsonValue[]): void {
  const value = config[key] ?? undefined;
  if (value === undefined || allowed.includes(value)) return;
  const expected = allowed.length === 0 ? "none" : allowed.map((item) => JSON.stringify(item)).join(" or ");
  throw new UnsupportedError(
    `writing GGUF: llama.cpp computes ${String(config.model_type)} with ${key} ${expected}, the config has ${JSON.stringify(value)}`,
  );
}

export interface RopeSettings {
  readonly theta: number;
  /** `rope_type`, "default" where nothing is scaled. */
  readonly type: string;
  /** The other keys of the scaling. */
  readonly values: HfConfig;
}

/** The rotary settings of a config: `rope_theta` and `rope_scaling`, or `rope_parameters` as Transformers 5 writes them. */
export function ropeOf(config: HfConfig, layerType?: string): RopeSettings {
  const nested = config.rope_parameters ?? undefined;
  const byLayer = isPlainObject(nested) && layerType !== undefined ? nested[layerType] : undefined;
  const scaling = byLayer ?? nested ?? config.rope_scaling ?? {};
  if (!isPlainObject(scaling)) {
    throw new ConfigError(`writing GGUF: expected an object as rope settings, found ${JSON.stringify(scaling)}`);
  }
  const type = scaling.rope_type ?? scaling.type ?? "default";
  return {
    theta: optionalNumberOf(scaling, "rope_theta") ?? optionalNumberOf(config, "rope_theta") ?? 10_000,
    type: String(type),
    values: scaling,
  };
}
