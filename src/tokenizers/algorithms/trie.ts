/** @file Finds all words of a vocabulary that begin at a place of a text, one code unit after the other. */

/** Four integers per slot, so that a step touches one cache line: node (-1 when empty), code unit, child, word that ends there. */
const stride = 4;

export class Trie {
  #slots: Int32Array;
  #mask: number;
  #numNodes = 1;

  /** @param words with the number that stands for each, 0 or more; empty words are left out. */
  constructor(words: Iterable<readonly [word: string, value: number]>) {
    this.#slots = new Int32Array(1024 * stride).fill(-1);
    this.#mask = 1023;
    for (const [word, value] of words) if (word !== "") this.#add(word, value);
  }

  /**
   * Steps from a place in the trie (`root` at first) along a code unit: the slot to ask `node` and `value` with, or -1
   * when no word goes on so.
   */
  step(node: number, unit: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = hashOf(node, unit) & mask; ; at = (at + 1) & mask) {
      const slot = at * stride;
      if (slots[slot] === node && slots[slot + 1] === unit) return slot;
      if (slots[slot] === -1) return -1;
    }
  }

  node(slot: number): number {
    return this.#slots[slot + 2]!;
  }

  /** The word that ends here, or -1. */
  value(slot: number): number {
    return this.#slots[slot + 3]!;
  }

  /** Code units of the longest word at `start`, 0 when there is none. */
  longest(text: string, start: number, end: number): { readonly length: number; readonly value: number } {
    let [length, value, node] = [0, -1, root];
    for (let i = start; i < end; i++) {
      const slot = this.step(node, text.charCodeAt(i));
      if (slot < 0) break;
      node = this.node(slot);
      if (this.value(slot) >= 0) [length, value] = [i + 1 - start, this.value(slot)];
    }
    return { length, value };
  }

  #add(word: string, value: number): void {
    let node = root;
    for (let i = 0; i < word.length; i++) {
      let slot = this.step(node, word.charCodeAt(i));
      if (slot < 0) slot = this.#insert(node, word.charCodeAt(i), this.#numNodes++);
      if (i === word.length - 1) this.#slots[slot + 3] = value;
      node = this.node(slot);
    }
  }

  #insert(node: number, unit: number, child: number): number {
    if (this.#numNodes * 2 > this.#mask) this.#grow();
    const slot = this.#emptySlot(node, unit);
    this.#slots[slot] = node;
    this.#slots[slot + 1] = unit;
    this.#slots[slot + 2] = child;
    return slot;
  }

  #emptySlot(node: number, unit: number): number {
    let at = hashOf(node, unit) & this.#mask;
    while (this.#slots[at * stride] !== -1) at = (at + 1) & this.#mask;
    return at * stride;
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = this.#mask * 2 + 1;
    this.#slots = new Int32Array((this.#mask + 1) * stride).fill(-1);
    for (let slot = 0; slot < old.length; slot += stride) {
      if (old[slot] === -1) continue;
      this.#slots.set(old.subarray(slot, slot + stride), this.#emptySlot(old[slot]!, old[slot + 1]!));
    }
  }
}

/** Where every word begins. */
export const root = 0;

function hashOf(node: number, unit: number): number {
  const hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}
