/** @file Writing of the Protocol Buffers wire format: just what ONNX models need. */

/** A message under construction. Large byte strings are kept by reference until `finish`. */
export class Message {
  readonly #pieces: Uint8Array[] = [];
  #small: number[] = [];
  #length = 0;

  /** int32, int64, enum or bool field. */
  int(field: number, value: number | bigint): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  /** float field. */
  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.#byte(view.getUint8(i));
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.byteLength);
    this.#append(value);
    return this;
  }

  message(field: number, value: Message): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.#length);
    value.#flush();
    for (const piece of value.#pieces) this.#append(piece);
    return this;
  }

  /** The encoded message, in one copy. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      out.set(piece, at);
      at += piece.byteLength;
    }
    return out;
  }

  #byte(value: number): void {
    this.#small.push(value);
    this.#length++;
  }

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  #append(value: Uint8Array): void {
    this.#flush();
    this.#pieces.push(value);
    this.#length += value.byteLength;
  }

  #flush(): void {
    if (this.#small.length > 0) this.#pieces.push(Uint8Array.from(this.#small));
    this.#small = [];
  }
}
