/** @file How many tokens to propose: as many as pay by what was accepted before, none while none do. */

/** Time that one more token adds to a run of the model, in runs on one token: measured 0.05 (float32) to 0.15 (int4). */
export const VERIFICATION_COST = 0.15;
/** Share of what earlier rounds count for after each round. */
const MEMORY = 0.8;
/** What is believed before anything was seen, worth two tokens. */
const FIRST = { tested: 2, accepted: 1.4 };
/** Tokens until proposals are tried again; the pause doubles with each vain try. */
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [32, 512];

/** Tokens that a run gives on average when `length` are proposed (Leviathan et al. 2022, arXiv:2211.17192, eq. 1). */
export function expectedTokens(rate: number, length: number): number {
  let [expected, power] = [1, 1];
  for (let i = 0; i < length; i++) expected += power *= rate;
  return expected;
}

export interface DraftLengthOptions {
  /** Most tokens. */
  readonly most: number;
  /** Time of a proposed token, in runs of the target on one token. */
  readonly cost: number;
}

/**
 * The length of one sequence's proposals. It depends on nothing but what became of those before, so that a text can be
 * replayed.
 */
export class DraftLength {
  #tested = FIRST.tested;
  #accepted = FIRST.accepted;
  #pause = SHORTEST_PAUSE;
  #pausedUntil = 0;
  #isTrial = false;

  constructor(private readonly options: DraftLengthOptions) {}

  /** Share of proposed tokens that is accepted, of those whose predecessors were. */
  get rate(): number {
    return this.#accepted / this.#tested;
  }

  /** The length that gives most tokens per time, after `numGenerated` tokens of text; 0 where none pays. */
  next(numGenerated: number): number {
    if (numGenerated < this.#pausedUntil) return 0;
    const best = this.#best();
    if (best > 0) return best;
    this.#isTrial = true;
    return Math.min(1, this.options.most);
  }

  /** Told what became of `numProposed` tokens. */
  learn(numProposed: number, numAccepted: number, numGenerated: number): void {
    if (this.#isTrial && numAccepted > 0) [this.#tested, this.#accepted] = [FIRST.tested, FIRST.accepted];
    this.#tested = MEMORY * this.#tested + Math.min(numProposed, numAccepted + 1);
    this.#accepted = MEMORY * this.#accepted + numAccepted;
    this.#isTrial = false;
    if (this.#best() > 0) {
      this.#pause = SHORTEST_PAUSE;
      return;
    }
    this.#pausedUntil = numGenerated + this.#pause;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #best(): number {
    const speed = (length: number): number =>
      expectedTokens(this.rate, length) / (1 + (this.options.cost + VERIFICATION_COST) * length);
    let best = 0;
    for (let length = 1; length <= this.options.most; length++) if (speed(length) > speed(best)) best = length;
    return best;
  }
}
