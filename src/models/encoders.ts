/** @file Encoder and encoder-decoder families, keyed by the `model_type` of their config.json. */

import { ConfigError } from "../base/errors.js";
import type { EncoderDecoder } from "../nn/encoder-decoder.js";
import { type BertConfig, bert } from "./bert.js";
import { type DistilBertConfig, distilbert } from "./distilbert.js";
import type { EncoderFamily, EncoderNaming } from "./encoder-config.js";
import { type MpnetConfig, mpnet } from "./mpnet.js";
import { type RobertaConfig, roberta } from "./roberta.js";
import { type T5Config, t5 } from "./t5.js";

type Config = Readonly<Record<string, unknown>>;

export const encoders = {
  bert: (config: Config, naming?: EncoderNaming): EncoderFamily => bert(config as BertConfig, naming),
  roberta: (config: Config, naming?: EncoderNaming): EncoderFamily => roberta(config as RobertaConfig, naming),
  "xlm-roberta": (config: Config, naming?: EncoderNaming): EncoderFamily => roberta(config as RobertaConfig, naming),
  distilbert: (config: Config, naming?: EncoderNaming): EncoderFamily => distilbert(config as DistilBertConfig, naming),
  mpnet: (config: Config, naming?: EncoderNaming): EncoderFamily => mpnet(config as MpnetConfig, naming),
} as const;

export const encoderDecoders = {
  t5: (config: Config): EncoderDecoder => t5(config as T5Config),
} as const;

/**
 * The encoder and heads that a config.json describes.
 * @throws ConfigError when its `model_type` is no encoder family.
 */
export function encoderFromConfig(config: Config, naming?: EncoderNaming): EncoderFamily {
  const type = config.model_type;
  if (typeof type !== "string" || !Object.hasOwn(encoders, type)) {
    throw new ConfigError(
      `model_type ${JSON.stringify(type)} is not a supported encoder; supported are: ${Object.keys(encoders).join(", ")}`,
    );
  }
  return encoders[type as keyof typeof encoders](config, naming);
}
