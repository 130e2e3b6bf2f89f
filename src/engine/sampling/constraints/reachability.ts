/** @file Which states of a network lead to the end of their rule, and with which bytes. */

import { ConfigError } from "../../../base/errors.js";
import type { Network, NetworkState } from "./network.js";

/**
 * 1 for each state from which the end of its rule can be reached with bytes of `alphabet` alone.
 * @param alphabet 256 entries, 1 for each byte that may be used.
 */
export function reachesEnd({ states }: Network, alphabet: Uint8Array): Uint8Array {
  const used = new Uint16Array(257);
  for (let byte = 0; byte < 256; byte++) used[byte + 1] = used[byte]! + alphabet[byte]!;
  const reaches = new Uint8Array(states.length);
  const doesReach = ({ isEnd, edges, jumps, calls }: NetworkState): boolean =>
    isEnd ||
    jumps.some((target) => reaches[target]) ||
    edges.some(({ start, end, target }) => reaches[target] && used[end + 1]! > used[start]!) ||
    calls.some(({ start, after }) => reaches[start] && reaches[after]);
  const before = predecessors(states);
  const pending = [...states.keys()];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (reaches[state] || !doesReach(states[state]!)) continue;
    reaches[state] = 1;
    for (const previous of before[state]!) if (!reaches[previous]) pending.push(previous);
  }
  return reaches;
}

function predecessors(states: readonly NetworkState[]): number[][] {
  const before: number[][] = states.map(() => []);
  for (const [state, { edges, jumps, calls }] of states.entries()) {
    for (const { target } of edges) before[target]!.push(state);
    for (const target of jumps) before[target]!.push(state);
    for (const { start, after } of calls) {
      before[start]!.push(state);
      before[after]!.push(state);
    }
  }
  return before;
}

/**
 * Makes sure that a rule reads a byte before it comes to itself again.
 * @param isNullable what `reachesEnd` gives for no bytes.
 * @throws ConfigError naming the rule that does not.
 */
export function checkGuarded(network: Network, isNullable: Uint8Array): void {
  const finished = new Set<number>();
  const visit = (rule: number, path: readonly number[]): void => {
    if (path.includes(rule)) {
      throw new ConfigError(
        `${network.starts.get(rule)} is defined by nothing but itself; give it a part that does not refer to it`,
      );
    }
    if (finished.has(rule)) return;
    for (const called of calledAtOnce(network, rule, isNullable)) visit(called, [...path, rule]);
    finished.add(rule);
  };
  for (const rule of network.starts.keys()) visit(rule, []);
}

/** Rules that begin where this one does. */
function calledAtOnce({ states }: Network, rule: number, isNullable: Uint8Array): Set<number> {
  const called = new Set<number>();
  const seen = new Set([rule]);
  for (const state of seen) {
    const { jumps, calls } = states[state]!;
    for (const target of jumps) seen.add(target);
    for (const { start, after } of calls) {
      called.add(start);
      if (isNullable[start]) seen.add(after);
    }
  }
  return called;
}
