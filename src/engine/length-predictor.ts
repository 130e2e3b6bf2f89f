/** @file How long an answer will be, so that memory is left for it and for no more (S3, Jin et al. 2023, arXiv:2306.06000). */

/** A guess may be wrong: a sequence that outgrows it goes on while memory lasts, and is pre-empted then. */
export interface LengthPredictor {
  /** Tokens that a request will probably generate. */
  predict(promptTokens: number, maxTokens: number): number;
  /** Told once a request has ended by itself. */
  learn(promptTokens: number, generatedTokens: number): void;
}

/** Leaves memory for the longest answer that was asked for: nobody is pre-empted, and fewer run at once. */
export const longest: LengthPredictor = {
  predict: (_, maxTokens) => maxTokens,
  learn: () => {},
};

export interface RecentLengthsOptions {
  /** Guess while nothing has ended yet, in tokens. Default 128. */
  readonly first?: number;
  /** Share of answers that are to be no longer than the guess. Default 0.8. */
  readonly quantile?: number;
  /** Answers that are remembered for each size of prompt. Default 64. */
  readonly remembered?: number;
}

/** Guesses by the latest answers to prompts of about the same length (within a factor of 2). */
export class RecentLengths implements LengthPredictor {
  readonly #bySize = new Map<number, number[]>();
  readonly #options: Required<RecentLengthsOptions>;

  constructor({ first = 128, quantile = 0.8, remembered = 64 }: RecentLengthsOptions = {}) {
    this.#options = { first, quantile, remembered };
  }

  predict(promptTokens: number, maxTokens: number): number {
    const seen = this.#bySize.get(sizeOf(promptTokens)) ?? [...this.#bySize.values()].flat();
    const { first, quantile } = this.#options;
    const sorted = [...seen].sort((a, b) => a - b);
    const guess = sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? first;
    return Math.min(guess, maxTokens);
  }

  learn(promptTokens: number, generatedTokens: number): void {
    const size = sizeOf(promptTokens);
    const seen = [...(this.#bySize.get(size) ?? []), generatedTokens];
    this.#bySize.set(size, seen.slice(-this.#options.remembered));
  }
}

const sizeOf = (promptTokens: number): number => Math.floor(Math.log2(promptTokens));
