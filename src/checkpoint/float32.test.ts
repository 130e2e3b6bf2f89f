/** @file Tests of reading every stored type as float32, from files. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allocate, type DType, fromBFloat16, fromFloat16 } from "../base/dtype.js";
import { DTypeError } from "../base/errors.js";
import { hostTensor } from "../base/host-tensor.js";
import { castFloats } from "./cast.js";
import { convertToFloat32 } from "./float32.js";
import { findNonFinite } from "./non-finite.js";
import { openSafetensors, writeSafetensors } from "./safetensors-file.js";
import { bytesOf } from "./tensor-source.js";

let path: string;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-float32-"));
  path = join(folder, "model.safetensors");
});
afterEach(() => rm(folder, { recursive: true }));

/** A file with one tensor of a type that is not written. */
async function writeRaw(dtype: string, values: Uint8Array): Promise<void> {
  const json = JSON.stringify({ w: { dtype, shape: [values.length], data_offsets: [0, values.length] } });
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([head, Buffer.from(json), values]));
}

describe("all 16-bit patterns", () => {
  it.each([
    ["float16", fromFloat16],
    ["bfloat16", fromBFloat16],
  ] as const)("%s are exact", (dtype, decode) => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const target = new Float32Array(65_536);
    convertToFloat32(dtype, bytesOf(halves), target);
    expect(target).toEqual(Float32Array.from(halves, decode));
  });
});

describe("8-bit floats", () => {
  // values of PyTorch 2.13's float8 types
  it.each([
    ["F8_E4M3", [0x00, 0x01, 0x08, 0x38, 0x7e, 0xfe, 0xb8, 0x7f], [0, 2 ** -9, 2 ** -6, 1, 448, -448, -1, Number.NaN]],
    [
      "F8_E5M2",
      [0x00, 0x01, 0x04, 0x3c, 0x7b, 0x7c, 0xbc, 0x7f],
      [0, 2 ** -16, 2 ** -14, 1, 57_344, Infinity, -1, Number.NaN],
    ],
  ])("%s", async (dtype, stored, values) => {
    await writeRaw(dtype, Uint8Array.from(stored));
    await using file = await openSafetensors(path);
    expect((await file.readFloat32("w")).data).toEqual(Float32Array.from(values));
    await expect(file.read("w")).rejects.toThrow(/is float8_e\dm\d(fn)?; read it with readFloat32/);
    await expect(file.readInto("w", new Uint8Array(8))).rejects.toThrow(DTypeError);
  });
});

describe("readFloat32", () => {
  it.each<[DType, number[]]>([
    ["float64", [0.5, -2, 1e300]],
    ["int8", [-128, 127]],
    ["uint8", [255, 0]],
    ["int16", [-32_768, 5]],
    ["uint16", [65_535, 1]],
    ["int32", [-16_777_216, 7]],
    ["bool", [0, 1]],
  ])("%s", async (dtype, values) => {
    const data = allocate(dtype, values.length);
    for (const [i, value] of values.entries()) data[i] = value;
    await writeSafetensors(path, [["w", hostTensor(dtype, [values.length], data)]]);
    await using file = await openSafetensors(path);
    expect((await file.readFloat32("w")).data).toEqual(Float32Array.from(values));
  });

  it("refuses integers that would change", async () => {
    const [wide, odd] = [BigInt64Array.of(1n, 2n ** 53n + 1n), Int32Array.of(16_777_217)];
    await writeSafetensors(
      path,
      Object.entries({ wide: hostTensor("int64", [2], wide), odd: hostTensor("int32", [1], odd) }),
    );
    await using file = await openSafetensors(path);
    await expect(file.readFloat32("wide")).rejects.toThrow(
      /"wide".*float32 cannot hold the int64 value 9007199254740993/,
    );
    await expect(file.readFloat32("odd")).rejects.toThrow(DTypeError);
  });

  it("is the same in pieces, many at once", async () => {
    const values = Float32Array.from({ length: 1_500_000 }, (_, i) => i % 251);
    const entries = ["a", "b", "c"].map((name) => [name, hostTensor("float32", [values.length], values)] as const);
    await writeSafetensors(path, castFloats(entries, "bfloat16"));
    await using file = await openSafetensors(path);
    expect(file.tensors.get("a")).toMatchObject({ dtype: "bfloat16", bytes: 3_000_000 });
    for (const { data } of await Promise.all(["a", "b", "c"].map((name) => file.readFloat32(name)))) {
      expect(Buffer.compare(bytesOf(data), bytesOf(values))).toBe(0);
    }
  });
});

it("castFloats rounds floats, keeps the rest, and makes values only when they are read", () => {
  const ids = hostTensor("int64", [1], BigInt64Array.of(3n));
  const weight = hostTensor("float32", [2], Float32Array.of(1.5, 1 / 3));
  const cast = new Map(castFloats(Object.entries({ ids, weight }), "float16"));
  expect(cast.get("ids")).toBe(ids);
  expect([...(cast.get("weight")?.data ?? [])].map(Number).map(fromFloat16)).toEqual([1.5, 0.333251953125]);
  expect(cast.get("weight")?.data).not.toBe(cast.get("weight")?.data);
});

it("findNonFinite names the first tensor with NaN or infinity", async () => {
  const right = hostTensor("float32", [2], Float32Array.of(1, 2));
  await writeSafetensors(path, [["right", right]]);
  await using whole = await openSafetensors(path);
  expect(await findNonFinite(whole)).toBeUndefined();
  const wrong = hostTensor("float16", [3], Uint16Array.of(0, 0x7c00, 0x7e00));
  await writeSafetensors(path, Object.entries({ right, wrong }));
  await using file = await openSafetensors(path);
  expect(await findNonFinite(file)).toEqual({ tensor: "wrong", index: 1, value: Number.POSITIVE_INFINITY });
});
