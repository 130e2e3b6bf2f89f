/** @file Position embeddings that are parameters (Gehring et al. 2017, arXiv:1705.03122, section 3.1; BERT, GPT-2). */

import { gather, type Tensor } from "../../graph/index.js";
import type { ParameterSpec, Scope } from "../model.js";

export interface LearnedPositions {
  readonly parameter: ParameterSpec;
  /** positions [B, T] int64 → [B, T, D]. */
  embed(scope: Scope, positions: Tensor): Tensor;
}

/** A row for each of `count` positions, under the checkpoint's name. */
export function learnedPositions(name: string, count: number, hiddenSize: number, std: number): LearnedPositions {
  return {
    parameter: { name, shape: [count, hiddenSize], init: { std }, matrix: "plain" },
    embed: (scope, positions) => gather(scope.tensor(name), positions),
  };
}
