/** @file Where a network can be without reading a byte: which states read next, and what has to be finished after them. */

import { CapacityError } from "../../../base/errors.js";
import type { Network } from "./network.js";

/** A state that reads bytes, and the states to return to from the rules entered on the way, outermost first. */
export interface Leaf {
  readonly state: number;
  readonly returns: readonly number[];
}

export interface Closure {
  readonly leaves: readonly Leaf[];
  /** The rule can end here. */
  readonly canEnd: boolean;
}

/** Ways to go on without a byte; nested repetitions of what may be empty multiply them. */
const maxWays = 100_000;

/** Closures of a network's states, computed when first asked for. */
export class Closures {
  readonly #network: Network;
  readonly #isAlive: Uint8Array;
  readonly #isNullable: Uint8Array;
  readonly #known: (Closure | undefined)[] = [];
  readonly #isTail: (boolean | undefined)[] = [];

  /** States that are not alive are left out; see `reachesEnd` for both. */
  constructor(network: Network, isAlive: Uint8Array, isNullable: Uint8Array) {
    this.#network = network;
    this.#isAlive = isAlive;
    this.#isNullable = isNullable;
  }

  /** @throws CapacityError where there are more than 100,000 ways to go on. */
  of(state: number): Closure {
    this.#known[state] ??= this.#find(state);
    return this.#known[state];
  }

  #find(from: number): Closure {
    const leaves: Leaf[] = [];
    let canEnd = false;
    let numWays = 0;
    const pending = [{ state: from, returns: [] as readonly number[], seen: new Set<number>() }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { state, returns, seen } = next;
      if (seen.has(state) || !this.#isAlive[state]) continue;
      seen.add(state);
      if (++numWays > maxWays) {
        throw new CapacityError(
          `the constraint has more than ${maxWays} ways to go on at one place; do not nest repetitions of what may be empty`,
        );
      }
      const { edges, jumps, calls, isEnd } = this.#network.states[state]!;
      if (edges.some(({ target }) => this.#isAlive[target])) leaves.push({ state, returns });
      if (isEnd && returns.length === 0) canEnd = true;
      for (const target of jumps) pending.push({ state: target, returns, seen });
      for (const { start, after } of calls) {
        if (!this.#isAlive[after]) continue;
        const inner = this.#endsAtOnce(after) ? returns : [...returns, after];
        pending.push({ state: start, returns: inner, seen: new Set() });
        if (this.#isNullable[start]) pending.push({ state: after, returns, seen });
      }
    }
    return { leaves, canEnd };
  }

  /** Nothing but the rule's end follows, so that there is no need to come back: recursion at the end takes no room. */
  #endsAtOnce(state: number): boolean {
    this.#isTail[state] ??= this.#onlyEnds(state);
    return this.#isTail[state];
  }

  #onlyEnds(from: number): boolean {
    const seen = new Set([from]);
    for (const state of seen) {
      const { edges, jumps, calls } = this.#network.states[state]!;
      if (edges.length > 0 || calls.length > 0) return false;
      for (const target of jumps) seen.add(target);
    }
    return true;
  }
}
