/** @file Tests of GGUF files: one made by llama.cpp's gguf package, round trips, and files that lie. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError } from "../../base/errors.js";
import { uint32Bytes, uint64Bytes } from "./metadata.js";
import { readGguf } from "./read.js";
import { encodeGguf, type GgufContents, writeGguf } from "./write.js";

const golden = fileURLToPath(new URL("../../../test/golden/gguf/", import.meta.url));

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-gguf-"));
  path = join(folder, "model.gguf");
});
afterEach(() => rm(folder, { recursive: true }));

describe("a file of the reference implementation", () => {
  it("has all types of metadata", async () => {
    await using file = await readGguf(join(golden, "small.gguf"));
    expect(file.version).toBe(3);
    expect(Object.fromEntries(file.metadata)).toMatchObject({
      "general.architecture": "llama",
      "llama.block_count": 2,
      "llama.rope.freq_base": 10000,
      "general.alignment": 64,
      "test.uint8": 200,
      "test.int8": -100,
      "test.uint16": 60000,
      "test.int16": -30000,
      "test.uint32": 4000000000,
      "test.int32": -2000000000,
      "test.uint64": 2n ** 63n + 1n,
      "test.int64": -(2 ** 40),
      "test.float32": Math.fround(0.1),
      "test.float64": 0.1,
      "test.bool": true,
      "test.string": "Grüße, 世界 🌍",
      "test.strings": ["a", "", "▁b"],
      "test.floats": [0.5, -1],
      "test.ints": [1, -2, 3],
      "test.bools": [true, false],
      "test.nested": [[1, 2], [3]],
    });
    expect(file.types.get("test.nested")).toBe("int32[][]");
    expect(file.types.get("llama.rope.freq_base")).toBe("float32");
  });

  it("has the reference's values in every tensor", async () => {
    const expected = JSON.parse(await readFile(join(golden, "small.json"), "utf8")) as Record<
      string,
      { type: string; shape: number[]; values: string }
    >;
    await using file = await readGguf(join(golden, "small.gguf"));
    expect([...file.tensors.keys()]).toEqual(Object.keys(expected));
    for (const [name, { type, shape, values }] of Object.entries(expected)) {
      expect(file.tensors.get(name)).toMatchObject({ type, shape });
      const floats = new Float32Array(Uint8Array.from(Buffer.from(values, "base64")).buffer);
      expect(await file.readFloat32(name)).toEqual({ dtype: "float32", shape, data: floats });
    }
    expect(await file.readBlocks("q8_0")).toHaveLength(3 * 2 * 34);
    await expect(file.readFloat32("q9")).rejects.toThrow(/no tensor "q9"; it holds 7/);
  });

  it("is written back byte for byte", async () => {
    await using file = await readGguf(join(golden, "small.gguf"));
    const tensors = await Promise.all(
      [...file.tensors].map(async ([name, { type, shape }]) => ({
        name,
        type,
        shape,
        blocks: await file.readBlocks(name),
      })),
    );
    await writeGguf(path, { metadata: file.metadata, types: file.types, tensors });
    expect(await readFile(path)).toEqual(await readFile(join(golden, "small.gguf")));
  });
});

const row = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
const contents: GgufContents = {
  metadata: new Map<string, string | number | boolean>([
    ["general.architecture", "test"],
    ["test.rope.freq_base", 10000],
    ["test.size", 3],
    ["test.offset", -3],
    ["test.share", 0.5],
    ["test.flag", false],
  ]),
  tensors: [
    { name: "a", shape: [2, 32], type: "F32", data: row },
    { name: "b", shape: [1, 64], type: "Q8_0", data: row },
    { name: "c", shape: [3], type: "F16", data: row.subarray(0, 3) },
  ],
};

describe("writing", () => {
  it("gives entries the types of the format", async () => {
    await writeGguf(path, contents);
    await using file = await readGguf(path);
    expect(file.metadata).toEqual(contents.metadata);
    expect([...file.types.values()]).toEqual(["string", "float32", "uint32", "int32", "float32", "bool"]);
    expect((await file.readFloat32("a")).data).toEqual(row);
    const { data } = await file.readFloat32("b");
    row.forEach((value, i) => {
      expect(Math.abs(Number(data[i]) - value)).toBeLessThan(1 / 250); // half a step of 1/127, and the float16 scale
    });
  });

  it.each<[string, Partial<GgufContents>, RegExp]>([
    ["an empty array", { metadata: new Map([["k", []]]) }, /"k": the type of the array is not known, it is empty/],
    [
      "a value of another type",
      { metadata: new Map([["general.tags", "x"]]) },
      /expected a value of type string\[\], got x/,
    ],
    [
      "a value out of range",
      { metadata: new Map([["k", 300]]), types: new Map([["k", "uint8"]]) },
      /type uint8, got 300/,
    ],
    ["lone surrogates", { metadata: new Map([["k", "\ud800"]]) }, /not valid Unicode/],
    ["a strange alignment", { metadata: new Map([["general.alignment", 24]]) }, /power of two up to 2\^20, found 24/],
    ["equal names", { tensors: [contents, contents].flatMap((c) => [...c.tensors].slice(0, 1)) }, /two tensors/],
    [
      "rows that are no whole blocks",
      { tensors: [{ name: "w", shape: [2, 33], type: "Q4_0", data: new Float32Array(66) }] },
      /"w": Q4_0 needs rows of whole blocks of 32 values, got the shape \[2,33\]; write it as F16/,
    ],
    ["a wrong count", { tensors: [{ name: "w", shape: [2], type: "F32", data: row }] }, /2 elements, the array has 64/],
    [
      "wrong blocks",
      { tensors: [{ name: "w", shape: [32], type: "Q4_K", blocks: row as never }] },
      /whole blocks of 256/,
    ],
    ["long names", { tensors: [{ name: "w".repeat(64), shape: [1], type: "F32", data: row }] }, /at most 63 bytes/],
    ["scalars", { tensors: [{ name: "w", shape: [], type: "F32", data: row }] }, /1 to 4 axes/],
  ])("refuses %s and leaves nothing", async (_, wrong, message) => {
    await expect(writeGguf(path, { ...contents, ...wrong })).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });
});

/** Bytes of a header with one tensor, parts of which can be replaced. */
function lying(parts: Partial<Record<string, Uint8Array>>): Uint8Array {
  const text = (value: string): Uint8Array => Buffer.concat([uint64Bytes(value.length), Buffer.from(value)]);
  const right = {
    magic: Buffer.from("GGUF"),
    version: uint32Bytes(3),
    numTensors: uint64Bytes(1),
    numEntries: uint64Bytes(1),
    key: text("k"),
    type: uint32Bytes(4),
    value: uint32Bytes(7),
    name: text("w"),
    numAxes: uint32Bytes(1),
    size: uint64Bytes(32),
    tensorType: uint32Bytes(8),
    offset: uint64Bytes(0),
    padding: new Uint8Array(4),
    data: new Uint8Array(34),
  };
  const header = Buffer.concat(
    Object.values({ ...right, ...parts, padding: undefined, data: undefined }).map((b) => b ?? Buffer.alloc(0)),
  );
  return Buffer.concat([header, new Uint8Array((32 - (header.length % 32)) % 32), parts.data ?? right.data]);
}
const huge = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80);

describe("refuses", () => {
  it("nothing in a file that is right", async () => {
    await writeFile(path, lying({}));
    await using file = await readGguf(path);
    expect(await file.readFloat32("w")).toEqual({ dtype: "float32", shape: [32], data: new Float32Array(32) });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /the file ends inside its header/],
    ["another format", lying({ magic: Buffer.from("GGML") }), /begins with "GGUF"/],
    ["version 1", lying({ version: uint32Bytes(1) }), /found 1; convert it again/],
    ["big-endian files", lying({ version: uint32Bytes(0x03000000) }), /big-endian/],
    ["2^63 tensors", lying({ numTensors: huge }), /tensors: expected at most \d+ entries.*9223372036854775808/],
    ["2^63 entries", lying({ numEntries: huge }), /metadata: expected at most/],
    ["a key of 2^63 bytes", lying({ key: huge }), /text: expected at most/],
    ["a key that is no text", lying({ key: Buffer.concat([uint64Bytes(1), Uint8Array.of(0xff)]) }), /expected UTF-8/],
    ["an unknown value type", lying({ type: uint32Bytes(13) }), /"k": expected a type from 0 to 12, found 13/],
    [
      "an array of 2^63",
      lying({ type: uint32Bytes(9), value: Buffer.concat([uint32Bytes(0), huge]) }),
      /array: expected at most/,
    ],
    [
      "arrays in arrays in arrays",
      lying({
        type: uint32Bytes(9),
        value: Buffer.concat(Array.from({ length: 9 }, () => [uint32Bytes(9), uint64Bytes(1)]).flat()),
      }),
      /at most 2 deep/,
    ],
    ["a boolean of 2", lying({ type: uint32Bytes(7), value: Uint8Array.of(2) }), /expected 0 or 1/],
    ["many axes", lying({ numAxes: uint32Bytes(2 ** 32 - 1) }), /at most 4 axes/],
    ["a size of 2^63", lying({ size: huge }), /takes \d+ bytes from 0 on, but the file has/],
    [
      "sizes with an overflowing product",
      lying({ numAxes: uint32Bytes(2), size: Buffer.concat([huge, uint64Bytes(32)]) }),
      /takes/,
    ],
    ["no whole blocks", lying({ size: uint64Bytes(31) }), /whole blocks of 32 values, found rows of 31/],
    ["an unknown tensor type", lying({ tensorType: uint32Bytes(99) }), /of type F32, .*, found type number 99/],
    ["an offset of 2^63", lying({ offset: huge }), /bytes from 9223372036854775808 on/],
    ["a hole", lying({ offset: uint64Bytes(32), data: new Uint8Array(98) }), /leaves a hole before it/],
    [
      "a file that is cut",
      lying({ data: new Uint8Array(33) }),
      /at least \d+ bytes by its header, found \d+; the file is not complete/,
    ],
    ["bytes after the end", lying({ data: new Uint8Array(100) }), /belong to no tensor/],
  ])("%s", async (_, bytes, message) => {
    await writeFile(path, bytes);
    await expect(readGguf(path)).rejects.toThrow(CheckpointError);
    await expect(readGguf(path)).rejects.toThrow(message);
  });

  it("keys and tensors that come twice", async () => {
    const bytes = Buffer.concat([...encodeGguf(contents)]);
    const tensors = Buffer.from(bytes);
    tensors.write("b", bytes.indexOf("a", bytes.indexOf("test.flag") + 10));
    await writeFile(path, tensors);
    await expect(readGguf(path)).rejects.toThrow(/two tensors have this name/);
    const keys = Buffer.from(bytes);
    keys.write("test.flag", bytes.indexOf("test.size"));
    await writeFile(path, keys);
    await expect(readGguf(path)).rejects.toThrow(/"test.flag": the key appears twice/);
  });

  it("text that runs past the end of a file larger than what is read first", async () => {
    const value = Buffer.concat([uint32Bytes(8), uint64Bytes(400_000)]);
    const head = lying({ type: uint32Bytes(9), value }).subarray(0, 49);
    // 400,000 empty texts would need 3.2 MB
    await writeFile(path, Buffer.concat([head, new Uint8Array(400_000 * 8 - 8)]));
    await expect(readGguf(path)).rejects.toThrow(/array: expected at most 399999 entries/);
  });
});
