/** @file A network made deterministic while it is used: sets of places, each with the rules it is inside of. */

import { CapacityError, ConfigError } from "../../../base/errors.js";
import { Closures } from "./closure.js";
import type { Expression } from "./expression.js";
import { type Edge, type Network, networkOf } from "./network.js";
import { checkGuarded, reachesEnd } from "./reachability.js";
import type { TokenMask } from "./token-mask.js";

/** The rules that a place is inside of, innermost first. Equal stacks are one object. */
interface Stack {
  readonly id: number;
  /** Where the innermost rule returns to; the bottom has none. */
  readonly after: number;
  readonly outer: Stack | undefined;
  readonly inner: Map<number, Stack>;
  /** All that is left to finish can be written in the alphabet. */
  readonly canBeWritten: boolean;
  readonly places: Map<number, Place>;
}

/** A state that reads bytes, inside of a stack of rules. Equal places are one object. */
interface Place {
  readonly id: number;
  readonly edges: readonly Edge[];
  readonly stack: Stack;
  readonly canBeWritten: boolean;
}

/** All places that what was read may have led to. */
export interface MachineState {
  /** What was read is whole. */
  readonly isFinal: boolean;
  /** It can be made whole with the bytes of the alphabet alone. */
  readonly canBeWritten: boolean;
  readonly places: readonly Place[];
  /** By class of bytes: the state that follows, null where none does, undefined where nobody asked. */
  readonly next: (MachineState | null | undefined)[];
  mask: TokenMask | undefined;
}

/** Places to look at after one byte; beyond, a request would hold up the others. */
const maxWorkPerByte = 100_000;

/** Kept states and masks are dropped all at once beyond these, so that memory does not grow with what was generated. */
const maxKeptStates = 30_000;
const maxKeptMaskBytes = 64 * 2 ** 20;

/** Reads bytes of one expression's language. */
export class Machine {
  /** Class of each byte; bytes of a class are equal to the whole network. */
  readonly classOf: Uint8Array;
  readonly start: MachineState;
  /** Places looked at so far. */
  work = 0;
  readonly #network: Network;
  readonly #closures: Closures;
  readonly #isWritable: Uint8Array;
  readonly #representatives: readonly number[];
  readonly #bottom: Stack;
  #states = new Map<string, MachineState>();
  #maskBytes = 0;
  #nextId = 0;

  /**
   * @param alphabet 256 entries: 1 for each byte that can be written by itself.
   * @throws ConfigError when no text satisfies the expression or none can be written; CapacityError when it is too large.
   */
  constructor(expression: Expression, alphabet: Uint8Array) {
    const network = networkOf(expression);
    const [whole = 0] = network.starts.keys();
    const isNullable = reachesEnd(network, new Uint8Array(256));
    checkGuarded(network, isNullable);
    const isAlive = reachesEnd(network, new Uint8Array(256).fill(1));
    if (!isAlive[whole]) throw new ConfigError("constraint: no text of finite length satisfies it; loosen it");
    this.#network = network;
    this.#closures = new Closures(network, isAlive, isNullable);
    this.#isWritable = reachesEnd(network, alphabet);
    if (!this.#isWritable[whole])
      throw new ConfigError("constraint: the vocabulary lacks the characters to write any text that satisfies it");
    [this.classOf, this.#representatives] = byteClasses(network);
    this.#bottom = this.#stack(-1, undefined);
    this.start = this.#stateAfter([{ target: whole, stack: this.#bottom }]);
  }

  /** The state after a byte of class `byteClass`; null where there is none. */
  step(state: MachineState, byteClass: number): MachineState | null {
    const known = state.next[byteClass];
    if (known !== undefined) return known;
    const byte = this.#representatives[byteClass]!;
    const targets = state.places.flatMap(({ edges, stack }) =>
      edges.filter(({ start, end }) => start <= byte && byte <= end).map(({ target }) => ({ target, stack })),
    );
    this.work += state.places.length;
    const next = targets.length === 0 ? null : this.#stateAfter(targets);
    const result = next === null || (next.places.length === 0 && !next.isFinal) ? null : next;
    state.next[byteClass] = result;
    return result;
  }

  /** Keeps the mask of a state. */
  keepMask(state: MachineState, mask: TokenMask): void {
    state.mask = mask;
    this.#maskBytes += mask.bytes;
    if (this.#maskBytes > maxKeptMaskBytes) this.#drop();
  }

  #stateAfter(targets: readonly { readonly target: number; readonly stack: Stack }[]): MachineState {
    const places = new Map<number, Place>();
    const seen = new Set<number>();
    const pending = [...targets];
    let isFinal = false;
    const limit = this.work + maxWorkPerByte;
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { target, stack } = next;
      const key = stack.id * this.#network.states.length + target;
      if (seen.has(key)) continue;
      seen.add(key);
      const { leaves, canEnd } = this.#closures.of(target);
      this.work += 1 + leaves.length;
      if (this.work > limit) {
        throw new CapacityError(
          `the constraint has more than ${maxWorkPerByte} ways to go on after one byte; make nested repetitions fewer or unbounded`,
        );
      }
      for (const { state, returns } of leaves) {
        const place = this.#place(
          state,
          returns.reduce((outer, after) => this.#stack(after, outer), stack),
        );
        places.set(place.id, place);
      }
      if (!canEnd) continue;
      if (stack.outer === undefined) isFinal = true;
      else pending.push({ target: stack.after, stack: stack.outer });
    }
    return this.#state([...places.values()], isFinal);
  }

  #state(places: Place[], isFinal: boolean): MachineState {
    places.sort((a, b) => a.id - b.id);
    const key = `${isFinal ? "final" : ""} ${places.map(({ id }) => id).join(" ")}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= maxKeptStates) this.#drop();
    const canBeWritten = isFinal || places.some((place) => place.canBeWritten);
    const next = new Array<MachineState | null | undefined>(this.#representatives.length).fill(undefined);
    const state: MachineState = { isFinal, canBeWritten, places, next, mask: undefined };
    this.#states.set(key, state);
    return state;
  }

  /** Forgets states; those that outputs are in stay with them. */
  #drop(): void {
    for (const state of this.#states.values()) {
      state.next.fill(undefined);
      state.mask = undefined;
    }
    this.#bottom.inner.clear();
    this.#states = new Map();
    this.#maskBytes = 0;
  }

  #stack(after: number, outer: Stack | undefined): Stack {
    const known = outer?.inner.get(after);
    if (known !== undefined) return known;
    const canBeWritten = outer === undefined || (outer.canBeWritten && this.#isWritable[after] === 1);
    const stack: Stack = { id: this.#nextId++, after, outer, inner: new Map(), canBeWritten, places: new Map() };
    outer?.inner.set(after, stack);
    return stack;
  }

  #place(state: number, stack: Stack): Place {
    const known = stack.places.get(state);
    if (known !== undefined) return known;
    const canBeWritten = stack.canBeWritten && this.#isWritable[state] === 1;
    const place: Place = { id: this.#nextId++, edges: this.#network.states[state]!.edges, stack, canBeWritten };
    stack.places.set(state, place);
    return place;
  }
}

/** Bytes that no edge tells apart are one class: the class of each byte, and one byte of each class. */
function byteClasses({ states }: Network): [classOf: Uint8Array, representatives: number[]] {
  const isBoundary = new Uint8Array(257);
  isBoundary[0] = 1;
  for (const { edges } of states) {
    for (const { start, end } of edges) {
      isBoundary[start] = 1;
      isBoundary[end + 1] = 1;
    }
  }
  const classOf = new Uint8Array(256);
  const representatives: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (isBoundary[byte]) representatives.push(byte);
    classOf[byte] = representatives.length - 1;
  }
  return [classOf, representatives];
}
