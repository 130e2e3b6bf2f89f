/** @file Proposals from a smaller model, which verification turns into the larger one's distribution. */

import { ConfigError } from "../../base/errors.js";
import type { LanguageModel } from "../../nn/index.js";
import type { Proposal } from "../sampling/proposal.js";
import type { Weights } from "../weights.js";
import { DraftRunner } from "./draft-runner.js";
import type { ProposalRequest, Proposer, Speculation, SpeculationTarget } from "./proposer.js";

export interface DraftModelOptions {
  /** Has the vocabulary of the model that it is to speed up: an id means the same to both. */
  readonly model: LanguageModel;
  readonly weights: Weights;
  /** Most tokens to propose. Default 8. */
  readonly tokens?: number;
  /** Time of a proposed token, in runs of the target on one token. Default: by the bytes of weights that each reads. */
  readonly cost?: number;
}

/** Where proposals end, and what they are marked with, in policies over a draft model. */
export interface DraftPolicy {
  /** Whether the draft goes on from logits [V]. Default: always. */
  isSure?(logits: Float32Array): boolean;
  /** Default: as drawn. */
  mark?(proposal: Proposal): Proposal;
}

/** Time of a draft token beside its weights: a run's own and the choice of a token, in runs of the target. */
const OVERHEAD = 0.02;

/** @throws ConfigError for `tokens` that is not a whole number from 1, or a `cost` below 0. */
export function checkDraft(name: string, { tokens, cost = 0 }: Pick<DraftModelOptions, "tokens" | "cost">): void {
  if (!Number.isInteger(tokens) || Number(tokens) < 1)
    throw new ConfigError(`${name}: tokens must be a whole number from 1, got ${tokens}`);
  if (!(cost >= 0)) throw new ConfigError(`${name}: cost must be 0 or more, got ${cost}`);
}

/**
 * Speculative sampling (Leviathan et al. 2022, arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318). Tokens are drawn from
 * the draft's distribution after the request's own steps. Its keys and values lie in memory beside the engine's
 * `cacheBytes`: slots of whole sequences.
 * @throws ConfigError when `tokens` is not a whole number from 1, or `cost` is below 0.
 */
export function draftModel({ tokens = 8, ...draft }: DraftModelOptions): Speculation {
  checkDraft("draft model", { ...draft, tokens });
  return {
    name: "draft",
    isLossless: true,
    maxTokens: tokens,
    open: (target) => openDraft(draft, target),
  };
}

/** @throws ConfigError when the draft has another vocabulary. */
export async function openDraft(
  draft: Omit<DraftModelOptions, "tokens">,
  target: SpeculationTarget,
  policy: DraftPolicy = {},
): Promise<Proposer> {
  const { model, cost = OVERHEAD + draft.weights.bytesPerToken / target.weights.bytesPerToken } = draft;
  if (model.vocabSize !== target.model.vocabSize) {
    throw new ConfigError(
      `draft model: it has a vocabulary of ${model.vocabSize} ids, the model that it is to speed up has ${target.model.vocabSize}; take a draft with the same tokenizer`,
    );
  }
  const contextLength = Math.min(target.contextLength, model.maxPositions);
  const { maxSequences } = target;
  const prefillTokens = Math.min(target.prefillTokens, contextLength);
  const runner = await DraftRunner.open(target.runtime, draft, { contextLength, maxSequences, prefillTokens });
  return {
    cost,
    shapesText: (isGreedy) => !isGreedy || policy.mark !== undefined,
    propose: (requests) => drafted(runner, requests, { ...policy, contextLength }),
    close: () => runner.close(),
  };
}

/** Proposals of all requests, a token of each at a time. */
async function drafted(
  runner: DraftRunner,
  requests: readonly ProposalRequest[],
  {
    contextLength,
    isSure = () => true,
    mark = (proposal) => proposal,
  }: DraftPolicy & { readonly contextLength: number },
): Promise<Proposal[][]> {
  runner.keepOnly(new Set(requests.map(({ sequence }) => sequence)));
  const texts = requests.map((request) => ({ ...request, ids: [...request.ids], proposals: [] as Proposal[] }));
  let active = texts;
  for (;;) {
    active = active.filter(({ ids, limit, proposals }) => proposals.length < limit && ids.length <= contextLength);
    if (active.length === 0) return texts.map(({ proposals }) => proposals);
    const logits = await runner.logits(active);
    active = active.filter(({ ids, sampler, proposals }, i) => {
      const ahead = proposals.map(({ id }) => id);
      const proposal = isSure(logits[i]!) ? sampler.propose(logits[i]!, ahead) : undefined;
      if (!proposal) return false;
      proposals.push(mark(proposal));
      ids.push(proposal.id);
      return true;
    });
  }
}
