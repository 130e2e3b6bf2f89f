/** @file A set of token ids, one bit each. */

export class TokenMask {
  readonly vocabSize: number;
  readonly #bits: Uint32Array;
  #count = 0;

  constructor(vocabSize: number) {
    this.vocabSize = vocabSize;
    this.#bits = new Uint32Array(Math.ceil(vocabSize / 32));
  }

  /** Number of ids in the set. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bits.byteLength;
  }

  has(id: number): boolean {
    return id >= 0 && id < this.vocabSize && ((this.#bits[id >> 5]! >>> (id & 31)) & 1) === 1;
  }

  /** Adds an id that is not in the set yet. */
  add(id: number): void {
    this.#bits[id >> 5]! |= 1 << (id & 31);
    this.#count++;
  }

  /** Sets the logits [V] of all other ids to minus infinity. */
  apply(logits: Float32Array): void {
    for (let word = 0; word < this.#bits.length; word++) {
      const bits = this.#bits[word]!;
      const start = word * 32;
      if (bits === 0) logits.fill(Number.NEGATIVE_INFINITY, start, start + 32);
      else if (bits !== 0xffffffff) {
        for (let bit = 0; bit < 32; bit++)
          if (((bits >>> bit) & 1) === 0 && start + bit < logits.length) logits[start + bit] = Number.NEGATIVE_INFINITY;
      }
    }
    logits.fill(Number.NEGATIVE_INFINITY, this.#bits.length * 32);
  }
}
