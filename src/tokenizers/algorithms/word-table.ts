/** @file A map from words to integers that is asked with a stretch of a longer text, so that nothing is cut out or allocated. */

/** Four integers per slot, so that a lookup touches one cache line: hash, place of the characters (-1 when empty), length, value. */
const stride = 4;

export class WordTable {
  #slots = emptySlots(1024);
  #mask = 1023;
  #characters = new Uint16Array(8192);
  #numCharacters = 0;
  #size = 0;
  #hash = 0;

  /** Number of words. */
  get size(): number {
    return this.#size;
  }

  /** Code units stored, over all words. */
  get numCharacters(): number {
    return this.#numCharacters;
  }

  /** Place of the word `text[start, end)`: one to ask `value` with, or -1. */
  find(text: string, start: number, end: number): number {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
    this.#hash = hash;
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = at * stride;
      const place = slots[slot + 1]!;
      if (place < 0) return -1;
      if (slots[slot] === hash && slots[slot + 2] === end - start && this.#same(place, text, start, end)) return slot;
    }
  }

  value(slot: number): number {
    return this.#slots[slot + 3]!;
  }

  /** Adds a word for which `find` has just answered -1. */
  add(text: string, start: number, end: number, value: number): void {
    if (this.#size * 2 >= this.#mask) this.#growSlots();
    const length = end - start;
    if (this.#numCharacters + length > this.#characters.length) this.#growCharacters(length);
    for (let i = 0; i < length; i++) this.#characters[this.#numCharacters + i] = text.charCodeAt(start + i);
    const slot = this.#emptySlot(this.#hash);
    this.#slots[slot] = this.#hash;
    this.#slots[slot + 1] = this.#numCharacters;
    this.#slots[slot + 2] = length;
    this.#slots[slot + 3] = value;
    this.#numCharacters += length;
    this.#size++;
  }

  clear(): void {
    this.#slots.fill(-1);
    this.#numCharacters = 0;
    this.#size = 0;
  }

  /** Calls back with each word and its value, in no particular order. */
  forEach(visit: (word: string, value: number) => void): void {
    for (let slot = 0; slot < this.#slots.length; slot += stride) {
      const place = this.#slots[slot + 1]!;
      if (place < 0) continue;
      const units = this.#characters.subarray(place, place + this.#slots[slot + 2]!);
      visit(wordOf(units), this.#slots[slot + 3]!);
    }
  }

  #same(place: number, text: string, start: number, end: number): boolean {
    const characters = this.#characters;
    for (let i = start, j = place; i < end; i++, j++) if (characters[j] !== text.charCodeAt(i)) return false;
    return true;
  }

  #emptySlot(hash: number): number {
    let at = hash & this.#mask;
    while (this.#slots[at * stride + 1]! >= 0) at = (at + 1) & this.#mask;
    return at * stride;
  }

  #growSlots(): void {
    const old = this.#slots;
    this.#slots = emptySlots((this.#mask + 1) * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let slot = 0; slot < old.length; slot += stride) {
      if (old[slot + 1]! >= 0) this.#slots.set(old.subarray(slot, slot + stride), this.#emptySlot(old[slot]!));
    }
  }

  #growCharacters(length: number): void {
    const characters = new Uint16Array(Math.max(this.#characters.length * 2, this.#numCharacters + length));
    characters.set(this.#characters.subarray(0, this.#numCharacters));
    this.#characters = characters;
  }
}

function emptySlots(count: number): Int32Array {
  return new Int32Array(count * stride).fill(-1);
}

/** In pieces: a call takes only so many arguments. */
function wordOf(units: Uint16Array): string {
  let word = "";
  for (let i = 0; i < units.length; i += 4096) word += String.fromCharCode(...units.subarray(i, i + 4096));
  return word;
}
