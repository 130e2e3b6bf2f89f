/** @file Who proposes when: the engine's side of speculation. */

import type { Sequence } from "../sequence.js";
import { DraftLength, expectedTokens, VERIFICATION_COST } from "./draft-length.js";
import { Lookahead } from "./lookahead.js";
import type { Proposer } from "./proposer.js";

export interface SpeculationCounts {
  /** Tokens that were proposed. */
  readonly proposed: number;
  /** Those of them that became text. */
  readonly accepted: number;
}

/** What one sequence has of speculation. */
export interface Speculative {
  readonly lookahead: Lookahead;
  readonly length: DraftLength;
}

/**
 * The kernel verifies tokens of one sequence at a time, so what is gained over decoding alone may be lost over decoding
 * together: a sequence leaves the others of its batch only where it is then faster than all of them are. What depends on
 * others decides only how proposals are verified, and whether those are made that change no text: replays are exact.
 */
export class Speculator {
  readonly #counts = { proposed: 0, accepted: 0 };

  /**
   * @param most tokens to propose for a sequence.
   * @param isShared whether several sequences run at once.
   */
  constructor(
    private readonly proposer: Proposer,
    private readonly most: number,
    private readonly isShared: boolean,
  ) {}

  /**
   * Whether a request speculates that says nothing of it. Sampled proposals decide which text it becomes, so they cannot be
   * left out where a batch would be faster without; among others they are made only for who asks.
   */
  isUsual(isGreedy: boolean): boolean {
    return isGreedy || !this.isShared || !this.proposer.shapesText(isGreedy);
  }

  get counts(): SpeculationCounts {
    return { ...this.#counts };
  }

  /** For a sequence that begins. */
  open(): Speculative {
    const { cost } = this.proposer;
    return { lookahead: new Lookahead(), length: new DraftLength({ most: this.most, cost }) };
  }

  /** Lets those of the sequences that decode propose that have nothing to verify; `roomOf` says how many tokens at most. */
  async propose(decoding: readonly Sequence[], roomOf: (sequence: Sequence) => number): Promise<void> {
    const sequences = decoding.filter(({ speculative }) => speculative);
    const requests = sequences.map((sequence) => ({
      sequence,
      ids: sequence.ids,
      limit: Math.min(this.#wanted(sequence, decoding.length), Math.max(0, roomOf(sequence))),
      sampler: sequence.sampler,
    }));
    const proposals = await this.proposer.propose(requests);
    for (const [i, { sequence, limit }] of requests.entries()) {
      if (limit === 0) continue;
      this.#counts.proposed += proposals[i]!.length;
      sequence.speculative!.lookahead.begin(proposals[i]!);
    }
  }

  /** How many proposals of a sequence to verify in a run of its own; 0 where it stays with the others of its batch. */
  numVerified({ speculative }: Sequence, numDecoding: number): number {
    const count = speculative?.lookahead.ids.length ?? 0;
    return count > 0 && this.#pays(speculative!.length, count, 0, numDecoding) ? count : 0;
  }

  /** Told which token was chosen. */
  settle({ speculative, generatedTokens }: Sequence, id: number): void {
    if (!speculative?.lookahead.isOpen) return;
    const { lookahead, length } = speculative;
    if (lookahead.next?.id === id) this.#counts.accepted++;
    lookahead.settle(id);
    if (!lookahead.isOpen) length.learn(lookahead.numProposed, lookahead.numAccepted, generatedTokens);
  }

  close(): void {
    this.proposer.close();
  }

  #wanted({ speculative, sampler, generatedTokens }: Sequence, numDecoding: number): number {
    const { lookahead, length } = speculative!;
    if (lookahead.isOpen) return 0;
    const wanted = length.next(generatedTokens);
    const { cost } = this.proposer;
    const isFree = !this.proposer.shapesText(sampler.isGreedy);
    return isFree && !this.#pays(length, wanted, cost, numDecoding) ? 0 : wanted;
  }

  /** Whether a sequence alone gets more tokens per time than `numDecoding` together. */
  #pays({ rate }: DraftLength, length: number, cost: number, numDecoding: number): boolean {
    if (numDecoding === 1) return true;
    const alone = expectedTokens(rate, length) / (1 + (cost + VERIFICATION_COST) * length);
    return alone > numDecoding / (1 + VERIFICATION_COST * (numDecoding - 1));
  }
}
