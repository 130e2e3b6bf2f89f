/** @file What is proposed to follow one sequence, while it is verified. */

import type { Proposal } from "../sampling/proposal.js";

/**
 * Proposals of one round. After the last of them one more token is chosen from what was computed along with it, so a round
 * decides one token more than it proposes. It decides the same in one run of the model and in several.
 */
export class Lookahead {
  #proposals: readonly Proposal[] = [];
  #numAccepted = 0;
  #isOpen = false;

  /** Whether a round is under way. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Tokens that the round proposed, the latest one where none is under way. */
  get numProposed(): number {
    return this.#proposals.length;
  }

  get numAccepted(): number {
    return this.#numAccepted;
  }

  /** Ids of the proposals that are still to be verified. */
  get ids(): readonly number[] {
    return this.#isOpen ? this.#proposals.slice(this.#numAccepted).map(({ id }) => id) : [];
  }

  /** The proposal for the next token; undefined where there is none. */
  get next(): Proposal | undefined {
    return this.#isOpen ? this.#proposals[this.#numAccepted] : undefined;
  }

  begin(proposals: readonly Proposal[]): void {
    this.#proposals = proposals;
    this.#numAccepted = 0;
    this.#isOpen = proposals.length > 0;
  }

  /** Told which token came next: the round is over unless it was proposed. */
  settle(id: number): void {
    if (this.next?.id === id) this.#numAccepted++;
    else this.#isOpen = false;
  }
}
