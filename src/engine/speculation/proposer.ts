/** @file What speculation is: a source of tokens that probably come next, which one run of the model verifies together. */

import type { LanguageModel } from "../../nn/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { StepWeights } from "../live-weights.js";
import type { Proposal } from "../sampling/proposal.js";
import type { Sampler } from "../sampling/sampler.js";

/** The model whose texts are to be guessed, and how it runs. */
export interface SpeculationTarget {
  readonly runtime: Runtime;
  readonly model: LanguageModel;
  readonly weights: StepWeights;
  /** Most tokens of one sequence. */
  readonly contextLength: number;
  /** Most sequences that run at once. */
  readonly maxSequences: number;
  readonly prefillTokens: number;
}

/** A way to speculate: one file and one line of the registry. */
export interface Speculation {
  readonly name: string;
  /** Whether texts are distributed as without it; greedy ones are then the same token for token. */
  readonly isLossless: boolean;
  /** Most tokens that are proposed at once. */
  readonly maxTokens: number;
  /** @throws ConfigError when it does not fit the model. */
  open(target: SpeculationTarget): Promise<Proposer>;
}

export interface ProposalRequest {
  /** Stands for the sequence from call to call. */
  readonly sequence: object;
  /** Prompt and text. */
  readonly ids: readonly number[];
  /** Most tokens to propose; 0 where none are wanted now. */
  readonly limit: number;
  /** Chooses tokens as the request asks, from another model's logits. */
  readonly sampler: Pick<Sampler, "propose">;
}

export interface Proposer {
  /** Time of a proposed token, in runs of the target on one token. */
  readonly cost: number;
  /** Whether what is chosen depends on the proposals: they are drawn, or taken against the model's choice. */
  shapesText(isGreedy: boolean): boolean;
  /**
   * Tokens that probably follow, for each request. The requests are all that run: what is kept for others is freed.
   * No call may be in flight.
   */
  propose(requests: readonly ProposalRequest[]): Promise<readonly (readonly Proposal[])[]>;
  close(): void;
}
