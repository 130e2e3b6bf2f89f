/** @file Expressions as a network of states over bytes, in which an arrow may also be a whole rule (Woods 1970). */

import { CapacityError } from "../../../base/errors.js";
import type { Expression, Rule } from "./expression.js";
import { utf8Sequences } from "./utf8.js";

/** Bytes from `start` to `end`, both included, lead to `target`. */
export interface Edge {
  readonly start: number;
  readonly end: number;
  readonly target: number;
}

/** A rule that begins in state `start` leads to state `after`. */
export interface Call {
  readonly start: number;
  readonly after: number;
}

/** One state; a rule ends in states with `isEnd`. */
export interface NetworkState {
  readonly edges: Edge[];
  /** States reached without a byte. */
  readonly jumps: number[];
  readonly calls: Call[];
  isEnd: boolean;
}

export interface Network {
  readonly states: readonly NetworkState[];
  /** The first state of each rule; the whole expression's comes first. */
  readonly starts: ReadonlyMap<number, string>;
}

/** More states take longer to compile than a request should wait. */
const maxStates = 200_000;
/** Longer repetitions call their part instead of copying it. */
const maxCopies = 4;

/** @throws CapacityError when the network would have more than 200,000 states. */
export function networkOf(expression: Expression): Network {
  return new NetworkBuilder().build(expression);
}

class NetworkBuilder {
  readonly #states: NetworkState[] = [];
  readonly #starts = new Map<number, string>();
  readonly #startOf = new Map<Rule, number>();
  readonly #pending: Rule[] = [];

  build(expression: Expression): Network {
    this.#call({ name: "the whole", body: expression });
    for (let rule = this.#pending.pop(); rule !== undefined; rule = this.#pending.pop()) {
      const end = this.#state();
      this.#states[end]!.isEnd = true;
      this.#connect(rule.body, this.#startOf.get(rule)!, end);
    }
    return { states: this.#states, starts: this.#starts };
  }

  #state(): number {
    if (this.#states.length >= maxStates) {
      throw new CapacityError(
        `the constraint needs more than ${maxStates} states; make its repetitions (maxLength, maxItems, {n,m}) shorter or unbounded`,
      );
    }
    return this.#states.push({ edges: [], jumps: [], calls: [], isEnd: false }) - 1;
  }

  /** The first state of a rule, which is compiled later. */
  #call(rule: Rule): number {
    const known = this.#startOf.get(rule);
    if (known !== undefined) return known;
    const start = this.#state();
    this.#startOf.set(rule, start);
    this.#starts.set(start, rule.name);
    this.#pending.push(rule);
    return start;
  }

  /** Puts an expression between two states. Nothing is added that leads to `from` or away from `to`. */
  #connect(expression: Expression, from: number, to: number): void {
    switch (expression.kind) {
      case "text":
        this.#text(expression.text, from, to);
        break;
      case "characters":
        this.#characters(expression, from, to);
        break;
      case "sequence":
        this.#sequence(expression.parts, from, to);
        break;
      case "choice":
        for (const option of expression.options) this.#connect(option, from, to);
        break;
      case "repeat":
        this.#repeat(expression, from, to);
        break;
      case "rule":
        this.#states[from]!.calls.push({ start: this.#call(expression.rule), after: to });
    }
  }

  #text(text: string, from: number, to: number): void {
    let at = from;
    for (const byte of new TextEncoder().encode(text)) at = this.#byte(byte, byte, at, this.#state());
    this.#states[at]!.jumps.push(to);
  }

  #characters({ ranges }: Extract<Expression, { kind: "characters" }>, from: number, to: number): void {
    for (const range of ranges) {
      for (const bytes of utf8Sequences(range)) {
        let at = from;
        for (const [i, [start, end]] of bytes.entries()) {
          at = this.#byte(start, end, at, i === bytes.length - 1 ? to : this.#state());
        }
      }
    }
  }

  #byte(start: number, end: number, from: number, target: number): number {
    this.#states[from]!.edges.push({ start, end, target });
    return target;
  }

  #sequence(parts: readonly Expression[], from: number, to: number): void {
    let at = from;
    for (const part of parts) {
      const next = this.#state();
      this.#connect(part, at, next);
      at = next;
    }
    this.#states[at]!.jumps.push(to);
  }

  #repeat({ part, min, max }: Extract<Expression, { kind: "repeat" }>, from: number, to: number): void {
    const numCopies = max === Number.POSITIVE_INFINITY ? min : max;
    const copied: Expression =
      numCopies <= maxCopies || part.kind === "rule" || isSmall(part)
        ? part
        : { kind: "rule", rule: { name: "a repeated part", body: part } };
    let at = this.#jump(from);
    for (let i = 0; i < numCopies; i++) {
      if (i >= min) this.#states[at]!.jumps.push(to);
      const next = this.#state();
      this.#connect(copied, at, next);
      at = next;
    }
    if (max === Number.POSITIVE_INFINITY) {
      at = this.#jump(at);
      this.#connect(copied, at, at);
    }
    this.#states[at]!.jumps.push(to);
  }

  #jump(from: number): number {
    const next = this.#state();
    this.#states[from]!.jumps.push(next);
    return next;
  }
}

/** One byte at a time. */
function isSmall(part: Expression): boolean {
  return part.kind === "characters" && part.ranges.every(([, end]) => end < 0x80);
}
