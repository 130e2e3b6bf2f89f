/**
 * @file One task from 500 to 1,000 examples: an adapter with dropout, many passes that end when held-out loss no longer falls,
 * and answers scored before and after.
 */

import { loraOptions, type Recipe } from "./recipe.js";

export const smallData: Recipe = {
  name: "small-data",
  purpose: "one task from 500 to 1,000 examples",
  settings: (given) => ({
    ...loraOptions(given, { r: 16, lora_alpha: 32, lora_dropout: 0.05 }),
    heldOut: 0.15,
    batchSize: 8,
    epochs: 10,
    warmup: 0.05,
    evaluations: 20,
    patience: 4,
    scored: 64,
    ...(given.outputSchema === undefined && { metrics: ["exact-match", "token-f1"] }),
  }),
};
