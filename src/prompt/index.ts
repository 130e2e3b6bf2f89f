/** @file Prompts with demonstrations: which to show, in what order, and how to write them. */

import { knn } from "./selections/knn.js";
import { mmr } from "./selections/mmr.js";
import { random } from "./selections/random.js";
import { voteK } from "./selections/vote-k.js";

export {
  type Demonstration,
  type FormatScore,
  type PromptFormat,
  promptFormats,
  readPrompt,
  searchFormats,
  writePrompt,
} from "./format.js";
export { byEntropy, type EntropyOrderOptions } from "./orders/by-entropy.js";
export { bySimilarity } from "./orders/by-similarity.js";
export type { Selection, SelectionRequest } from "./selections/selection.js";
export { Bm25Similarity, type Similarity, VectorSimilarity } from "./similarity.js";

/** Ways to choose demonstrations, by name. A line here makes one known. */
export const selections = { knn, mmr, "vote-k": voteK, random } as const;

export type SelectionName = keyof typeof selections;
