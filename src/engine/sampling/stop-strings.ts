/** @file Ends a text at stop strings, wherever tokens are cut (Aho and Corasick 1975). */

import { ConfigError } from "../../base/errors.js";

/** A beginning that one or more stop strings share. */
interface Prefix {
  readonly length: number;
  readonly next: Map<string, Prefix>;
  /** The longest other prefix that this one ends with. */
  fallback: Prefix | undefined;
  /** The longest stop string that this one ends with. */
  stop: string | undefined;
}

export interface StopPiece {
  /** Text that is certain not to be part of a stop string. */
  readonly text: string;
  /** The stop string that ended the text; nothing of it is given out. */
  readonly stop?: string;
}

/**
 * Watches a text that comes in pieces. The stop string that is complete first ends the text; of two that end together
 * the longer. Text that may still become one is held back. Linear time.
 */
export class StopStrings {
  readonly #root: Prefix;
  #at: Prefix;
  #held = "";
  #isStopped = false;

  /** @throws ConfigError for a stop string that is empty or holds half a character. */
  constructor(stops: readonly string[]) {
    this.#root = prefixesOf(stops);
    this.#at = this.#root;
  }

  /** @throws ConfigError after a stop string has come. */
  push(piece: string): StopPiece {
    if (this.#isStopped) throw new ConfigError("stop strings: the text has ended; push no more of it");
    const text = this.#held + piece;
    for (let i = this.#held.length; i < text.length; i++) {
      this.#step(text[i]!);
      const { stop } = this.#at;
      if (stop === undefined) continue;
      this.#isStopped = true;
      this.#held = "";
      return { text: text.slice(0, i + 1 - stop.length), stop };
    }
    const end = text.length - this.#at.length;
    this.#held = text.slice(end);
    return { text: text.slice(0, end) };
  }

  /** What is held back: it may still become a stop string. */
  get held(): string {
    return this.#held;
  }

  /** The text has ended otherwise: gives what was held back. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    this.#at = this.#root;
    return held;
  }

  #step(unit: string): void {
    let from: Prefix | undefined = this.#at;
    while (from !== undefined && !from.next.has(unit)) from = from.fallback;
    this.#at = from?.next.get(unit) ?? this.#root;
  }
}

function prefixesOf(stops: readonly string[]): Prefix {
  const root: Prefix = { length: 0, next: new Map(), fallback: undefined, stop: undefined };
  for (const stop of stops) {
    if (stop === "") throw new ConfigError("stop strings: an empty one would end every text; leave it out");
    if (/\p{Surrogate}/u.test(stop))
      throw new ConfigError(`stop strings: ${JSON.stringify(stop)} holds half a character and can never come`);
    let at = root;
    for (let i = 0; i < stop.length; i++) {
      const unit = stop[i]!;
      const next = at.next.get(unit) ?? { length: at.length + 1, next: new Map(), fallback: root, stop: undefined };
      at.next.set(unit, next);
      at = next;
    }
    at.stop = stop;
  }
  linkFallbacks(root);
  return root;
}

/** Breadth first, so that the fallbacks of shorter prefixes are there. */
function linkFallbacks(root: Prefix): void {
  const queue = [...root.next.values()];
  for (const prefix of queue) {
    for (const [unit, longer] of prefix.next) {
      let from = prefix.fallback;
      while (from !== undefined && !from.next.has(unit)) from = from.fallback;
      longer.fallback = from?.next.get(unit) ?? root;
      longer.stop ??= longer.fallback.stop;
      queue.push(longer);
    }
  }
}
