/** @file Values of GGUF metadata: their types, and how they are read from and written to bytes. */

import { CheckpointError } from "../../base/errors.js";
import type { ByteCursor } from "./cursor.js";

/** A metadata value. 64-bit integers are numbers where a number holds them exactly, else bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** Element types by their number in a file (`enum gguf_metadata_value_type`); 9, the array, is written as `T[]`. */
const scalarNames = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;

export type GgufScalarType = Exclude<(typeof scalarNames)[number], "array">;

/** Such as `"uint32"`, `"string[]"`, `"float32[][]"`. */
export type GgufValueType = GgufScalarType | `${GgufScalarType}[]` | `${GgufScalarType}[][]`;

const arrayCode = scalarNames.indexOf("array");

/** Fewest bytes that one value takes in a file. */
const leastBytes: Readonly<Record<GgufScalarType | "array", number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  string: 8,
  array: 12,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** Nothing needs deeper arrays, and what is deeper would be an attack on the stack. */
const maxDepth = 2;

/** Reads a type number and the value after it. */
export function readTyped(cursor: ByteCursor, at: string): { value: GgufValue; type: GgufValueType } {
  const name = readTypeName(cursor, at);
  if (name === "array") return readArray(cursor, at, 1);
  return { value: readScalar(cursor, name, at), type: name };
}

function readTypeName(cursor: ByteCursor, at: string): GgufScalarType | "array" {
  const code = cursor.uint32();
  const name = scalarNames[code];
  if (name === undefined) throw new CheckpointError(`${at}: expected a type from 0 to 12, found ${code}`);
  return name;
}

function readArray(cursor: ByteCursor, at: string, depth: number): { value: GgufValue[]; type: GgufValueType } {
  if (depth > maxDepth) throw new CheckpointError(`${at}: expected arrays at most ${maxDepth} deep`);
  const of = readTypeName(cursor, at);
  const count = cursor.count(leastBytes[of], `${at}: array`);
  if (of !== "array") {
    const value = new Array<GgufValue>(count);
    for (let i = 0; i < count; i++) value[i] = readScalar(cursor, of, at);
    return { value, type: `${of}[]` };
  }
  const inner = Array.from({ length: count }, () => readArray(cursor, at, depth + 1));
  const types = new Set(inner.map(({ type }) => type));
  if (types.size > 1) throw new CheckpointError(`${at}: expected arrays of one type, found ${[...types].join(", ")}`);
  const [type = "uint8[]"] = types;
  return { value: inner.map(({ value }) => value), type: `${type}[]` as GgufValueType };
}

function readScalar(cursor: ByteCursor, type: GgufScalarType, at: string): GgufValue {
  switch (type) {
    case "string":
      return cursor.string(at);
    case "bool": {
      const byte = cursor.uint8();
      if (byte > 1) throw new CheckpointError(`${at}: expected 0 or 1 for a boolean, found ${byte}`);
      return byte === 1;
    }
    case "uint64":
    case "int64": {
      const value = cursor.take(8, type === "uint64" ? "getBigUint64" : "getBigInt64");
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    default:
      return cursor.take(leastBytes[type], numberGetters[type]);
  }
}

const numberGetters = {
  uint8: "getUint8",
  int8: "getInt8",
  uint16: "getUint16",
  int16: "getInt16",
  uint32: "getUint32",
  int32: "getInt32",
  float32: "getFloat32",
  float64: "getFloat64",
} as const;

/** Integer types and the values that they hold. */
const ranges: Readonly<Partial<Record<GgufScalarType, readonly [bigint, bigint]>>> = {
  uint8: [0n, 255n],
  int8: [-128n, 127n],
  uint16: [0n, 65535n],
  int16: [-32768n, 32767n],
  uint32: [0n, 2n ** 32n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/**
 * A type number and the value after it, as bytes.
 * @throws CheckpointError when the value is not of this type.
 */
export function encodeTyped(value: GgufValue, type: GgufValueType, at: string): Uint8Array[] {
  if (type.endsWith("[]")) return [uint32Bytes(arrayCode), ...encodeArray(value, type, at)];
  return [uint32Bytes(scalarNames.indexOf(type as GgufScalarType)), encodeScalar(value, type as GgufScalarType, at)];
}

function encodeArray(value: GgufValue, type: GgufValueType, at: string): Uint8Array[] {
  if (typeof value !== "object") throw wrong(value, type, at);
  const of = type.slice(0, -2) as GgufValueType;
  const isNested = of.endsWith("[]");
  const code = isNested ? arrayCode : scalarNames.indexOf(of as GgufScalarType);
  const items = value.flatMap((item) =>
    isNested ? encodeArray(item, of, at) : [encodeScalar(item, of as GgufScalarType, at)],
  );
  return [uint32Bytes(code), uint64Bytes(value.length), ...items];
}

function encodeScalar(value: GgufValue, type: GgufScalarType, at: string): Uint8Array {
  if (type === "string") {
    if (typeof value !== "string") throw wrong(value, type, at);
    return stringBytes(value, at);
  }
  if (type === "bool") {
    if (typeof value !== "boolean") throw wrong(value, type, at);
    return Uint8Array.of(value ? 1 : 0);
  }
  const out = new Uint8Array(leastBytes[type]);
  const view = new DataView(out.buffer);
  if (type === "float32" || type === "float64") {
    if (typeof value !== "number") throw wrong(value, type, at);
    if (type === "float32") view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    return out;
  }
  const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
  const [low, high] = ranges[type]!;
  if (!isInteger || BigInt(value) < low || BigInt(value) > high) throw wrong(value, type, at);
  // two's complement, lowest byte first: what all integer types share
  const bits = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < out.length; i++) out[i] = Number((bits >> BigInt(8 * i)) & 0xffn);
  return out;
}

function wrong(value: GgufValue, type: GgufValueType, at: string): CheckpointError {
  const shown = typeof value === "object" ? "an array" : String(value).slice(0, 60);
  return new CheckpointError(`${at}: expected a value of type ${type}, got ${shown}`);
}

export function uint32Bytes(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

export function uint64Bytes(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true);
  return out;
}

/** A length and UTF-8, as strings lie in a file. */
export function stringBytes(text: string, at: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) throw new CheckpointError(`${at}: ${JSON.stringify(text)} is not valid Unicode`);
  const utf8 = new TextEncoder().encode(text);
  const out = new Uint8Array(8 + utf8.length);
  out.set(uint64Bytes(utf8.length));
  out.set(utf8, 8);
  return out;
}
