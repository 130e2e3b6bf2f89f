/** @file A growing list of 32-bit integers. */

export class IntList {
  #values: Int32Array;
  length = 0;

  constructor(capacity = 64) {
    this.#values = new Int32Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow(this.length + 1);
    this.#values[this.length++] = value;
  }

  /** Appends `values[start, end)`. */
  append(values: Int32Array, start: number, end: number): void {
    if (this.length + end - start > this.#values.length) this.#grow(this.length + end - start);
    // a loop: words have a few tokens, for which subarray and set cost more than the copy
    for (let i = start; i < end; i++) this.#values[this.length++] = values[i]!;
  }

  /** The value at `index`, which must be below `length`. */
  at(index: number): number {
    return this.#values[index]!;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  clear(): void {
    this.length = 0;
  }

  toArray(): Int32Array {
    return this.#values.slice(0, this.length);
  }

  /** The memory behind the list, valid until the next growth. */
  get values(): Int32Array {
    return this.#values;
  }

  #grow(needed: number): void {
    const values = new Int32Array(Math.max(needed, this.#values.length * 2));
    values.set(this.#values.subarray(0, this.length));
    this.#values = values;
  }
}
