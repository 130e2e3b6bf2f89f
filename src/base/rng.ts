/** @file Seeded random numbers whose whole state is four integers, so that a run can be stopped and replayed. */

/** State of a generator: four unsigned 32-bit integers. */
export type RngState = readonly [number, number, number, number];

/** xoshiro128** (Blackman and Vigna 2018): 32-bit output, period 2^128 - 1. */
export class Rng {
  // signed, unlike in `state`: numbers from 2^31 on would be boxed at every step
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any integer, or a state taken from `state`. */
  constructor(seed: number | RngState) {
    if (typeof seed === "number") {
      // splitmix32 spreads one seed over the four words; xoshiro must not start from all zeros
      let s = seed >>> 0;
      const next = (): number => {
        s = (s + 0x9e3779b9) >>> 0;
        let z = s;
        z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
        z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
        return z ^ (z >>> 15);
      };
      [this.#a, this.#b, this.#c, this.#d] = [next(), next(), next(), next() | 1];
    } else {
      const [a, b, c, d] = seed;
      [this.#a, this.#b, this.#c, this.#d] = [a | 0, b | 0, c | 0, d | 0];
    }
  }

  /** The state from which the next number follows. */
  get state(): RngState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** Uniform in 0 … 2^32 - 1. */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Puts `items` in random order, in place (Fisher and Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }
}

/** A seed that depends on `seed` and a label, so that parts of a run draw independent streams. FNV-1a over the label. */
export function deriveSeed(seed: number, label: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
