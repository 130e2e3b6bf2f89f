/** @file An expression over the tokens of a vocabulary. */

import { CapacityError, ConfigError } from "../../../base/errors.js";
import type { Constraint, ConstraintState } from "./constraint.js";
import type { Expression } from "./expression.js";
import { Machine, type MachineState } from "./machine.js";
import { TokenMask } from "./token-mask.js";
import type { TokenTrie } from "./token-trie.js";

/** Places to look at for one mask; beyond, a request would hold up the others. */
const maxWorkPerMask = 3_000_000;

/**
 * Allows the tokens that spell a text of the expression. A token is allowed only where the text can be finished with
 * tokens of single bytes after it, so that no choice leads to a dead end.
 * @param begun what stands before the first token; only the rest of the text is left to write. Default nothing.
 * @throws ConfigError when no text satisfies it, none begins so or the vocabulary cannot write one; CapacityError when it
 * is too large.
 */
export function constrain(expression: Expression, trie: TokenTrie, begun = ""): Constraint {
  const machine = new Machine(expression, trie.alphabet);
  const start = stateAfter(machine, begun);
  return { vocabSize: trie.vocabSize, start: () => new TokenState(machine, trie, start) };
}

function stateAfter(machine: Machine, begun: string): MachineState {
  let state: MachineState | null = machine.start;
  for (const byte of new TextEncoder().encode(begun)) {
    state = machine.step(state, machine.classOf[byte]!);
    if (state === null) throw new ConfigError(`constraint: no text that satisfies it begins with ${begun}`);
  }
  return state;
}

class TokenState implements ConstraintState {
  readonly isFinal: boolean;
  readonly #machine: Machine;
  readonly #trie: TokenTrie;
  readonly #state: MachineState;

  constructor(machine: Machine, trie: TokenTrie, state: MachineState) {
    this.#machine = machine;
    this.#trie = trie;
    this.#state = state;
    this.isFinal = state.isFinal;
  }

  allowed(): TokenMask {
    if (this.#state.mask !== undefined) return this.#state.mask;
    const mask = maskOf(this.#machine, this.#trie, this.#state);
    this.#machine.keepMask(this.#state, mask);
    return mask;
  }

  next(id: number): ConstraintState | undefined {
    const bytes = this.#trie.bytesById[id];
    if (bytes === undefined || bytes.length === 0) return undefined;
    let state: MachineState | null = this.#state;
    for (const byte of bytes) {
      state = this.#machine.step(state, this.#machine.classOf[byte]!);
      if (state === null) return undefined;
    }
    return state.canBeWritten ? new TokenState(this.#machine, this.#trie, state) : undefined;
  }
}

/** Walks the tree of tokens and leaves out what is below a byte that nothing follows. */
function maskOf(machine: Machine, trie: TokenTrie, from: MachineState): TokenMask {
  const { bytes, depths, ends, tokenStarts, tokens } = trie;
  const { classOf } = machine;
  const mask = new TokenMask(trie.vocabSize);
  const path = new Array<MachineState>(trie.maxDepth + 1).fill(from);
  const limit = machine.work + maxWorkPerMask;
  for (let node = 0; node < bytes.length; ) {
    const depth = depths[node]!;
    const state: MachineState = path[depth]!;
    const byteClass = classOf[bytes[node]!]!;
    const next = state.next[byteClass] ?? machine.step(state, byteClass);
    if (next === null) {
      node = ends[node]!;
      continue;
    }
    if (machine.work > limit) {
      throw new CapacityError(
        `the constraint can be read in so many ways at once that the next tokens take more than ${maxWorkPerMask} steps to find; make nested repetitions or alternatives that begin alike fewer`,
      );
    }
    path[depth + 1] = next;
    if (next.canBeWritten) for (let i = tokenStarts[node]!; i < tokenStarts[node + 1]!; i++) mask.add(tokens[i]!);
    node++;
  }
  return mask;
}
