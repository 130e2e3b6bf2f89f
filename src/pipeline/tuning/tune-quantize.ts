/** @file Tuning for weights of 4 or 8 bits: what goes with it, and the model that is trained then. */

import { ConfigError } from "../../base/errors.js";
import { fakeQuantized, type PackedFormat } from "../../compress/index.js";
import { type MethodName, methods, type Tuning } from "../../peft/index.js";
import type { AlgorithmName } from "../../train/index.js";

export interface QuantizeSettings {
  readonly quantize?: PackedFormat | undefined;
  readonly method: MethodName;
  readonly frozen: string;
  readonly algorithm: AlgorithmName;
}

/** @throws ConfigError where training under rounding would train something else than what is served. */
export function checkQuantize({ quantize, method, frozen, algorithm }: QuantizeSettings): void {
  if (!quantize) return;
  const refuse = (why: string): ConfigError => new ConfigError(`tuning: quantize "${quantize}" ${why}`);
  if ("attach" in methods[method])
    throw refuse(
      `rounds the model's own matrices, and method "${method}" adds others beside them, which merging would round anew; give method "full"`,
    );
  if (frozen !== "float32")
    throw refuse(`already says how weights are rounded; leave out frozen "${frozen}", which would round them twice`);
  if (algorithm === "mezo")
    throw refuse(
      'passes gradients by the rounding, and algorithm "mezo" has none: its small moves vanish in it; give "backprop" or "lomo"',
    );
}

/** What is tuned, read as it will be served where that is asked for. @throws ConfigError as `checkQuantize`. */
export function quantized(tuning: Tuning, settings: QuantizeSettings): Tuning {
  checkQuantize(settings);
  return settings.quantize ? { ...tuning, model: fakeQuantized(tuning.model, settings.quantize) } : tuning;
}

/** How a model tuned so is used. */
export const servingText = (quantize: PackedFormat): string =>
  `trained as ${quantize} rounds them and written as float32: serve with --weights ${quantize}`;
