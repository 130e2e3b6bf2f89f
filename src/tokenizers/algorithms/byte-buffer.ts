/** @file A growing run of bytes. */

export class ByteBuffer {
  #bytes = new Uint8Array(256);
  #length = 0;

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** What was appended, without a copy. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
