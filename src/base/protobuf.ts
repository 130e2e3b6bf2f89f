/** @file The Protocol Buffers wire format (protobuf.dev, encoding), written and read: what ONNX and SentencePiece models need. */

import { CheckpointError } from "./errors.js";

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

/** A number (varint; 32 and 64 bits as their bytes) or the bytes of a string, message or fixed-size number. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/**
 * The fields of a message in order.
 * @throws CheckpointError when the bytes end within a field or have a kind of field that is no longer in use.
 */
export function* fieldsOf(bytes: Uint8Array, file: string): Generator<Field> {
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (!(length >= 0 && at + length <= bytes.length)) {
      throw new CheckpointError(
        `${file}: a field of ${length} bytes at byte ${at} does not fit into the message of ${bytes.length}; the file is damaged or no protobuf`,
      );
    }
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new CheckpointError(`${file}: a number at byte ${at} has no end; the file is damaged or no protobuf`);
  };
  const wireValue = (wireType: number): number | Uint8Array => {
    if (wireType === 0) return varint();
    if (wireType === 1) return take(8);
    if (wireType === 2) return take(varint());
    if (wireType === 5) return take(4);
    throw new CheckpointError(`${file}: a field of kind ${wireType} at byte ${at}; the file is damaged or no protobuf`);
  };
  while (at < bytes.length) {
    const tag = varint();
    yield { number: Math.floor(tag / 8), value: wireValue(tag % 8) };
  }
}

/** The float that a field of 32 bits holds. */
export function floatOf(value: number | Uint8Array): number {
  if (typeof value === "number" || value.length !== 4) return Number.NaN;
  return new DataView(value.buffer, value.byteOffset, 4).getFloat32(0, true);
}

/** @throws CheckpointError when the field holds no number. */
export function numberOf(value: number | Uint8Array, file: string): number {
  if (typeof value === "number") return value;
  throw new CheckpointError(`${file}: expected a number, found ${value.length} bytes; the file is damaged`);
}

/** @throws CheckpointError when the field holds no string or message. */
export function bytesOf(value: number | Uint8Array, file: string): Uint8Array {
  if (typeof value !== "number") return value;
  throw new CheckpointError(`${file}: expected bytes, found the number ${value}; the file is damaged`);
}
