/**
 * @file Guanaco: QLoRA on the best path of each OpenAssistant conversation (Dettmers et al. 2023, arXiv:2305.14314, appendix
 * B.2 and table 9; what it leaves open as in the authors' scripts): 4-bit NF4 with double quantisation, r 64 on all linear
 * maps, a constant rate without warm-up, rows of like length together, the whole conversation learned.
 */

import type { TuneConfig } from "../tune-config.js";
import { loraOptions, type Recipe } from "./recipe.js";

/** The two sizes differ in rate and dropout. */
const guanacoOf = (given: Partial<TuneConfig>, learningRate: number, dropout: number): Partial<TuneConfig> => ({
  method: "qlora",
  ...loraOptions(given, { r: 64, lora_alpha: 16, lora_dropout: dropout }),
  learningRate,
  beta2: 0.999,
  schedule: "constant",
  warmup: 0,
  weightDecay: 0,
  clipNorm: 0.3,
  batchSize: 16,
  // which would win over epochs
  ...(given.epochs === undefined && { steps: 1875 }),
  length: 512,
  overLong: "keep-start",
  packing: false,
  order: "length-grouped",
  lossOn: "all",
  evaluations: 10,
  patience: null,
  metrics: ["token-f1"],
});

export const guanaco: Recipe = {
  name: "guanaco",
  purpose: "an assistant from OpenAssistant's conversations, for models up to 13 billion parameters",
  settings: (given) => guanacoOf(given, 2e-4, 0.1),
};

export const guanacoLarge: Recipe = {
  name: "guanaco-large",
  purpose: "the same for models of 33 and 65 billion parameters",
  settings: (given) => guanacoOf(given, 1e-4, 0.05),
};
