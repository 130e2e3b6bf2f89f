/** @file What a model family is: a function from config.json to a model, with a schema that says what it reads. */

import { z } from "zod";
import { ConfigError } from "../base/errors.js";
import type { LanguageModel } from "../nn/index.js";

/** Makes the model that a config.json describes. @throws ConfigError naming each key that is missing or out of range. */
export type Family = (config: Readonly<Record<string, unknown>>) => LanguageModel;

/** Families by `model_type`. */
export type Families = Readonly<Record<string, Family>>;

/**
 * A family from the schema of its config.json and a function from the parsed config to a model.
 * @example const mine = defineFamily("mine", z.looseObject({ hidden_size: z.int() }), (config) => buildMine(config));
 */
export function defineFamily<Config>(
  modelType: string,
  schema: z.ZodType<Config>,
  build: (config: Config) => LanguageModel,
): Family {
  return (input) => {
    const parsed = schema.safeParse(input);
    if (!parsed.success) throw new ConfigError(`${modelType} config: ${z.prettifyError(parsed.error)}`);
    const model = build(parsed.data);
    if (model.family !== modelType) {
      throw new ConfigError(`the family "${modelType}" built a model that calls its family "${model.family}"`);
    }
    return model;
  };
}
