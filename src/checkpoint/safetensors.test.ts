/** @file Tests of the safetensors format against files of the reference implementation, made-up damage and random damage. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allocate, type DType, dtypes } from "../base/dtype.js";
import { CheckpointError, DTypeError, ShapeError } from "../base/errors.js";
import { type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { encodeSafetensors, parseSafetensors } from "./safetensors.js";
import { bytesOf } from "./tensor-source.js";

const golden = new URL("../../test/golden/safetensors/", import.meta.url);
/** In a buffer of its own: small files that `readFileSync` returns share a pool and may not be aligned. */
const goldenBytes = (name: string) => Uint8Array.from(readFileSync(new URL(name, golden)));

/** The values of `make.py` as the bits that are stored. */
const halfBits: Partial<Record<DType, number[]>> = {
  float16: [0, 0xb400, 0x3800, 0xba00, 0x4e40, 0xbf00], // 0, -0.25, 0.5, -0.75, 25, -1.75
  bfloat16: [0, 0xbe80, 0x3f00, 0xbf40, 0x41c8, 0xbfe0],
};

function expectedValues(dtype: DType): number[] {
  const bits = halfBits[dtype];
  if (bits !== undefined) return bits;
  if (dtype === "bool") return [0, 1, 1, 0, 1, 0];
  const numbers = [0, 1, 2, 3, 100, 7].map((n, i) => (dtype.startsWith("u") || i % 2 === 0 ? n : -n));
  return dtype.startsWith("float") ? numbers.map((n) => n / 4) : numbers;
}

/** Every type, with values that use all of its bytes. */
function samples(): [string, HostTensor][] {
  const rng = new Rng(1);
  return dtypes.map((dtype) => {
    const data = allocate(dtype, 12);
    const bytes = bytesOf(data);
    for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === "bool" ? rng.below(2) : rng.below(256);
    return [`t.${dtype}`, hostTensor(dtype, [3, 1, 4], data)];
  });
}

function encode(entries: Iterable<readonly [string, HostTensor]>, metadata?: Record<string, string>): Uint8Array {
  return Uint8Array.from(Buffer.concat([...encodeSafetensors(entries, metadata)]));
}

/** A file with any text as header, followed by `dataBytes` zeros. */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const out = new Uint8Array(8 + text.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("files of the reference implementation", () => {
  it.each(dtypes)("reads %s", (dtype) => {
    const tensor = parseSafetensors(goldenBytes("all-dtypes.safetensors")).tensors.get(dtype);
    expect(tensor?.dtype).toBe(dtype);
    expect(tensor?.shape).toEqual([2, 3]);
    expect(Array.from(tensor?.data ?? [], Number)).toEqual(expectedValues(dtype));
  });

  it("reads scalars, empty tensors, odd names and metadata", () => {
    const { metadata, tensors } = parseSafetensors(goldenBytes("all-dtypes.safetensors"));
    expect(metadata).toEqual({ format: "pt" });
    expect(tensors.get("scalar")).toEqual(hostTensor("float32", [], Float32Array.of(3.5)));
    expect(tensors.get("empty")).toEqual(hostTensor("float32", [0, 4], new Float32Array(0)));
    expect(tensors.get('quote " slash \\ é 中')?.data[0]).toBe(4.5);
    expect(tensors.get("10")?.data[0]).toBe(2.5);
    expect(tensors.size).toBe(18);
  });

  it.each(["all-dtypes.safetensors", "empty.safetensors"])("writes %s byte for byte", (name) => {
    const bytes = goldenBytes(name);
    const { metadata, tensors } = parseSafetensors(bytes);
    expect(encode([...tensors].reverse(), { ...metadata })).toEqual(bytes);
  });
});

describe("round trip", () => {
  it("keeps every bit of every type", () => {
    const { tensors } = parseSafetensors(encode(samples()));
    expect(tensors).toEqual(new Map(samples()));
  });

  it("gives the same bytes whatever the order", () => {
    const metadata = { b: "2", a: "1" };
    expect(encode(samples().reverse(), { a: "1", b: "2" })).toEqual(encode(samples(), metadata));
  });

  it("shares memory with aligned bytes and copies from others", () => {
    const bytes = encode(samples());
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const aligned = parseSafetensors(bytes).tensors;
    const copied = parseSafetensors(shifted.subarray(1)).tensors;
    for (const tensor of aligned.values()) expect(tensor.data.buffer).toBe(bytes.buffer);
    expect(copied.get("t.float64")?.data.buffer).not.toBe(shifted.buffer);
    expect(copied).toEqual(aligned);
  });

  it("asks for the values of a tensor only when they are written", () => {
    const made: string[] = [];
    const lazy = (name: string): [string, HostTensor] => [
      name,
      {
        dtype: "float32",
        shape: [1],
        get data() {
          made.push(name);
          return Float32Array.of(1);
        },
      },
    ];
    const pieces = encodeSafetensors([lazy("b"), lazy("a")]);
    pieces.next();
    expect(made).toEqual([]);
    pieces.next();
    expect(made).toEqual(["a"]);
  });

  it("keeps names that are special to JavaScript", () => {
    const entries = ["__proto__", "constructor", "7", ""].map((name) => [name, zeros("uint8", [1])] as const);
    expect(parseSafetensors(encode(entries)).tensors).toEqual(new Map(entries));
  });
});

describe("refuses to write", () => {
  it.each<[string, [string, HostTensor][], typeof CheckpointError | typeof ShapeError, RegExp]>([
    ["a name twice", [...samples(), samples()[0]!], CheckpointError, /two tensors are called "t.float32"/],
    ["the reserved name", [["__metadata__", zeros("int8", [1])]], CheckpointError, /must not be called/],
    ["half a character", [["\ud800", zeros("int8", [1])]], CheckpointError, /not valid Unicode/],
    ["a wrong size", [["t", { ...zeros("int8", [2]), shape: [3] }]], ShapeError, /"t": shape \[3\] has 3.* has 2/],
    [
      "a wrong array",
      [["t", { ...zeros("int8", [2]), dtype: "uint8" }]],
      DTypeError,
      /needs a Uint8Array, got a Int8A/,
    ],
  ])("%s", (_, entries, error, message) => {
    expect(() => encode(entries)).toThrow(error);
    expect(() => encode(entries)).toThrow(message);
  });
});

describe("refuses to read", () => {
  const huge = new Uint8Array(16).fill(0xff);
  const overflow = { dtype: "F32", shape: [2 ** 52, 2 ** 52, 0], data_offsets: [0, 0] };
  it.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /at least 8 bytes, this one has 0/],
    ["a header above 100 MB", huge, /at most 100000000 bytes, found a length of 18446744073709551615/],
    ["a header beyond the end", file({}).subarray(0, 9), /header has 2 bytes, but the file ends after 1/],
    ["an empty header", file(""), /starts with \{/],
    ["another start", file(" {}"), /starts with \{/],
    ["broken JSON", file('{"a":'), /expected JSON/],
    ["text that is not UTF-8", file({}).map((byte, i) => (i === 9 ? 0xff : byte)), /expected JSON/],
    [
      "a name twice",
      file(`{"a":${JSON.stringify(f32(0, 4))},"\\u0061":${JSON.stringify(f32(4, 8))}}`, 8),
      /"a" appears twice/,
    ],
    [
      "a key twice",
      file('{"a":{"dtype":"F32","shape":[1],"dtype":"I32","data_offsets":[0,4]}}', 4),
      /"dtype" appears twice/,
    ],
    ["an entry that is no object", file({ a: 1 }), /tensor "a": expected an object, found 1/],
    ["an unknown type", file({ a: { ...f32(0, 4), dtype: "F4" } }, 4), /tensor "a".*found "F4"/],
    ["no type", file({ a: { shape: [], data_offsets: [0, 4] } }, 4), /expected a dtype.*found nothing/],
    ["a negative size", file({ a: f32(0, 4, [-1]) }, 4), /whole numbers, found \[-1\]/],
    ["a fraction", file({ a: f32(0, 4, [0.5]) }, 4), /whole numbers/],
    [
      "a size above 2^53",
      file('{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,1]}}', 1),
      /whole numbers/,
    ],
    ["a product above 2^53", file({ a: overflow }), /takes NaN bytes/],
    ["a shape that does not fit", file({ a: f32(0, 8, [3]) }, 8), /F32 of shape \[3\] takes 12 bytes.*span 8/],
    ["offsets in reverse", file({ a: f32(4, 0, [1]) }, 4), /takes 4 bytes.*span -4/],
    ["three offsets", file({ a: { ...f32(0, 4), data_offsets: [0, 4, 8] } }, 8), /data_offsets \[begin, end\]/],
    ["an unknown key", file({ a: { ...f32(0, 4), extra: 1 } }, 4), /unknown key "extra"/],
    ["overlap", file({ a: f32(0, 8), b: f32(4, 12) }, 12), /"b" overlaps.*begin at 8, found 4/],
    ["a hole", file({ a: f32(0, 4), b: f32(8, 12) }, 12), /"b" leaves a hole.*begin at 4, found 8/],
    ["a hole at the start", file({ a: f32(4, 8) }, 8), /"a" leaves a hole/],
    [
      "bytes too few",
      file({ a: f32(0, 8) }, 4),
      /expected \d+ bytes by its header, found \d+; the file is not complete/,
    ],
    ["bytes too many", file({ a: f32(0, 4) }, 5), /belong to no tensor/],
    ["metadata that is not text", file({ __metadata__: { a: 1 } }), /__metadata__ to map text to text/],
    ["metadata in a list", file({ __metadata__: ["a"] }), /__metadata__/],
    ["nesting without end", file(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`), /expected an object/],
  ])("%s", (_, bytes, message) => {
    expect(() => parseSafetensors(bytes, "x.safetensors")).toThrow(CheckpointError);
    expect(() => parseSafetensors(bytes, "x.safetensors")).toThrow(message);
    expect(() => parseSafetensors(bytes, "x.safetensors")).toThrow(/^x\.safetensors/);
  });
});

/** Damages a file in one of the ways that find bugs: bits, cuts, repeated parts, and numbers of the header. */
function mutate(original: Uint8Array, rng: Rng): Uint8Array {
  const bytes = original.slice();
  const headerEnd = 8 + new DataView(bytes.buffer).getUint32(0, true);
  const at = rng.below(rng.below(2) ? headerEnd : bytes.length);
  switch (rng.below(5)) {
    case 0:
      bytes[at] = rng.below(256);
      return bytes;
    case 1:
      return bytes.slice(0, at);
    case 2: {
      const part = bytes.slice(at, at + rng.below(60));
      return Uint8Array.from([...bytes.slice(0, at), ...part, ...bytes.slice(at)]);
    }
    case 3:
      return bytes.map((byte, i) => (i >= 8 && i < headerEnd && rng.below(200) === 0 ? 0x30 + rng.below(10) : byte));
    default:
      bytes.set(
        Array.from('{}[],:"0919 ', (c) => c.charCodeAt(0)).slice(rng.below(6), 6 + rng.below(6)),
        Math.min(at, bytes.length - 12),
      );
      return bytes;
  }
}

it("survives random damage: a CheckpointError or tensors that lie within the file", () => {
  const original = goldenBytes("all-dtypes.safetensors");
  const rng = new Rng(7);
  let accepted = 0;
  let refused = 0;
  for (let round = 0; round < 4000; round++) {
    const bytes = mutate(original, rng);
    try {
      const { tensors } = parseSafetensors(bytes);
      accepted++;
      const size = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
      expect(size).toBeLessThan(bytes.length);
    } catch (thrown) {
      if (!(thrown instanceof CheckpointError)) throw thrown;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(500);
  expect(accepted).toBeGreaterThan(50);
});
