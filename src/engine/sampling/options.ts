/** @file What a request may ask of sampling, and what its steps are told. */

/**
 * How the tokens of one request are chosen. Steps run in this order, each on what the one before it left:
 * logit bias, repetition, frequency and presence penalty; banned ids, minimum length and constraint (nothing lifts
 * these); temperature, top-k, top-p, min-p, typical. It is the order of vLLM and Hugging Face's library; a filter's
 * probabilities are those of the tokens that earlier filters kept.
 */
export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the largest. Default 0. */
  readonly temperature?: number;
  /** Only the k largest logits. Default: all. */
  readonly topK?: number;
  /** Only the fewest tokens whose probabilities reach p (Holtzman et al. 2020, arXiv:1904.09751). Default 1: all. */
  readonly topP?: number;
  /** Only tokens at least this likely relative to the likeliest (Nguyen et al. 2024, arXiv:2407.01082). Default 0: all. */
  readonly minP?: number;
  /** The fewest tokens of nearly expected surprise whose probabilities reach p (Meister et al. 2023, arXiv:2202.00666). Default 1: all. */
  readonly typicalP?: number;
  /**
   * Positive logits of tokens in prompt or text are divided by it, others multiplied (Keskar et al. 2019, CTRL,
   * arXiv:1909.05858, eq. 4.1). Default 1: none.
   */
  readonly repetitionPenalty?: number;
  /** Taken from a token's logit for each time that it was generated, from -2 to 2 as OpenAI has it. Default 0. */
  readonly frequencyPenalty?: number;
  /** Taken from the logit of each token that was generated, from -2 to 2 as OpenAI has it. Default 0. */
  readonly presencePenalty?: number;
  /** Added to logits by token id, from -100 to 100 as OpenAI has it. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /** Ids that never come. */
  readonly bannedIds?: ReadonlySet<number>;
  /** Ids that end the text do not come before so many tokens. A constraint that is complete ends it all the same. Default 0. */
  readonly minTokens?: number;
  /**
   * Gives log-probabilities of the chosen token and of this many of the likeliest, at most 20; 0 gives the chosen
   * one's. They are the model's own, before any step above. Default: none.
   */
  readonly logprobs?: number;
}

/** What belongs to a request beside its options. */
export interface SamplingRequest {
  readonly vocabSize: number;
  /** Ids that end the text. */
  readonly stopIds: ReadonlySet<number>;
}

/** The tokens so far. */
export interface TokenHistory {
  readonly prompt: ReadonlySet<number>;
  /** How often each id was generated. */
  readonly counts: ReadonlyMap<number, number>;
  readonly numGenerated: number;
}
