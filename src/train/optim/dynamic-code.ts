/**
 * @file Blocks of float32 as bytes: dynamic quantisation (Dettmers et al. 2021, arXiv:2110.02861, sections 1.2 and 2.1).
 * Every block is divided by its largest magnitude, and each value becomes the nearest of 256 codes, which lie dense near
 * zero: a decade each has half as many as the next larger one.
 */

import { dynamicCodes } from "../../base/dynamic-codes.js";

/** Turns stretches of float32 into codes and back. Stretches begin at a block. */
export class DynamicCode {
  readonly #codes: Float32Array;
  /** Above this value the next code is nearer. */
  readonly #upTo: Float32Array;
  /** By the upper half of a float32's bits: the code of the smallest value that has them. */
  readonly #firstCode = new Uint8Array(2 ** 16);
  readonly #scaled: Float32Array;
  readonly #bits: Uint32Array;

  constructor(
    isSigned: boolean,
    readonly blockSize: number,
  ) {
    this.#codes = dynamicCodes(isSigned);
    this.#upTo = this.#codes.map((code, i) =>
      i === 255 ? Number.POSITIVE_INFINITY : (code + this.#codes[i + 1]!) / 2,
    );
    if (!isSigned) {
      // a mean of squares that is not zero must not become zero: the step divides by its root
      this.#upTo[0] = 0;
    }
    this.#scaled = new Float32Array(blockSize);
    this.#bits = new Uint32Array(this.#scaled.buffer);
    const [value, bits] = [new Float32Array(1), new Uint32Array(1)];
    const view = new Uint32Array(value.buffer);
    for (let key = 0; key < 2 ** 16; key++) {
      // the smallest of a key's values: the most negative where it is negative
      bits[0] = (key << 16) | (key >= 2 ** 15 ? 0xffff : 0);
      view[0] = bits[0]!;
      const smallest = value[0]!;
      let code = 0;
      while (code < 255 && smallest > this.#upTo[code]!) code++;
      this.#firstCode[key] = code;
    }
  }

  /** `values` ← codes · scales. */
  decode(codes: Uint8Array, scales: Float32Array, values: Float32Array): void {
    for (let start = 0, block = 0; start < values.length; start += this.blockSize, block++) {
      const end = Math.min(start + this.blockSize, values.length);
      const scale = scales[block]!;
      for (let i = start; i < end; i++) values[i] = this.#codes[codes[i]!]! * scale;
    }
  }

  /** Codes and scales ← `values`. */
  encode(values: Float32Array, codes: Uint8Array, scales: Float32Array): void {
    const [scaled, bits, first, upTo] = [this.#scaled, this.#bits, this.#firstCode, this.#upTo];
    for (let start = 0, block = 0; start < values.length; start += this.blockSize, block++) {
      const size = Math.min(this.blockSize, values.length - start);
      let largest = 0;
      for (let i = start; i < start + size; i++) largest = Math.max(largest, Math.abs(values[i]!));
      scales[block] = largest;
      const factor = largest > 0 ? 1 / largest : 0;
      for (let i = 0; i < size; i++) scaled[i] = values[start + i]! * factor;
      for (let i = 0; i < size; i++) {
        let code = first[bits[i]! >>> 16]!;
        while (scaled[i]! > upTo[code]!) code++;
        codes[start + i] = code;
      }
    }
  }
}
