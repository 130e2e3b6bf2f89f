/** @file From logits to tokens: options, steps, constraints and the end of a text. */

export { Candidates } from "./candidates.js";
export * from "./constraints/index.js";
export type { CandidateFilter, FilterStep } from "./filters/filter.js";
export { candidateFilters } from "./filters/index.js";
export { type Logprobs, logprobsOf, type TokenLogprob } from "./logprobs.js";
export type { SamplingOptions, SamplingRequest, TokenHistory } from "./options.js";
export { logitsProcessors } from "./processors/index.js";
export type { LogitsProcessor, LogitsStep } from "./processors/processor.js";
export type { Proposal, TokenDistribution } from "./proposal.js";
export {
  type ConstraintStatus,
  checkSampling,
  type SampledToken,
  Sampler,
  type SamplerRequest,
  sample,
} from "./sampler.js";
export { type StopPiece, StopStrings } from "./stop-strings.js";
