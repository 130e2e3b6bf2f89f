/** @file Methods that train some of a model's own parameters and add none. */

import type { z } from "zod";
import type { LanguageModel } from "../nn/index.js";
import type { AdapterFormat, TuningMethod } from "./method.js";

export interface Selection<Config> {
  readonly name: string;
  readonly schema: z.ZodObject<z.ZodRawShape> & z.ZodType<Config>;
  /** Full names. @throws ConfigError when the model has none. */
  select(base: LanguageModel, config: Config): readonly string[];
  /** Default: a type of Tessera's own, since PEFT has no such method. */
  readonly format?: AdapterFormat<Config>;
}

/** A tuning method from a choice of parameters. What is trained is in the base's weights at once. */
export function selection<Config>({ format, ...method }: Selection<Config>): TuningMethod<Config> {
  return {
    ...method,
    merging: { merge: () => {}, unmerge: "the base's values were trained in place" },
    format: format ?? { peftType: `TESSERA_${method.name.toUpperCase().replaceAll("-", "_")}` },
  };
}
