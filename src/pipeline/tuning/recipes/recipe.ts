/** @file What a recipe is: settings that belong together, under a name. */

import type { TuneConfig } from "../tune-config.js";

export interface Recipe {
  readonly name: string;
  /** When to take it, in a few words. */
  readonly purpose: string;
  /** Values where a user gives none. They may depend on what is given. */
  settings(given: Partial<TuneConfig>): Partial<TuneConfig>;
}

/** Options of low-rank adapters, where the method is one that has them. */
export const loraOptions = (
  { method = "lora" }: Partial<TuneConfig>,
  methodOptions: NonNullable<TuneConfig["methodOptions"]>,
): Partial<TuneConfig> => (method === "lora" || method === "qlora" ? { methodOptions } : {});
