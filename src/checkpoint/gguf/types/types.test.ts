/** @file Tests of packing and unpacking against llama.cpp's gguf package (tools/golden/gguf_values.py). */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../base/errors.js";
import { ggmlTypes } from "./index.js";

interface Golden {
  readonly unpack: Readonly<Record<string, { readonly blocks: string; readonly values: string }>>;
  readonly pack: Readonly<Record<"values" | "F16" | "BF16" | "Q8_0" | "Q4_0", string>>;
}

const { unpack, pack } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/gguf/blocks.json", import.meta.url), "utf8"),
) as Golden;
const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const floats = (base64: string): Float32Array => new Float32Array(bytes(base64).buffer);

it("are keyed by their names, with numbers of their own", () => {
  for (const [key, { name }] of Object.entries(ggmlTypes)) expect(name).toBe(key);
  expect(new Set(Object.values(ggmlTypes).map(({ code }) => code)).size).toBe(Object.keys(ggmlTypes).length);
});

describe("unpacking", () => {
  it.each(Object.keys(unpack))("%s gives the reference's values bit for bit", (name) => {
    const { blocks, values } = unpack[name]!;
    const { dequantize, blockSize, blockBytes } = ggmlTypes[name as keyof typeof ggmlTypes];
    const stored = bytes(blocks);
    const target = new Float32Array((stored.length / blockBytes) * blockSize);
    dequantize(stored, target);
    expect(target).toEqual(floats(values));
    // from an odd place in memory too
    const shifted = new Uint8Array(stored.length + 1);
    shifted.set(stored, 1);
    const again = new Float32Array(target.length);
    dequantize(shifted.subarray(1), again);
    expect(again).toEqual(target);
  });

  it("Q8_K has a float32 scale", () => {
    const block = new Uint8Array(292);
    const view = new DataView(block.buffer);
    view.setFloat32(0, 0.3, true);
    for (let i = 0; i < 256; i++) view.setInt8(4 + i, i - 128);
    const target = new Float32Array(256);
    ggmlTypes.Q8_K.dequantize(block, target);
    expect(target).toEqual(Float32Array.from({ length: 256 }, (_, i) => Math.fround(0.3) * (i - 128)));
  });

  it("plain numbers are themselves, at odd places too", () => {
    const stored = new Uint8Array(17);
    new DataView(stored.buffer).setFloat64(1, 1.5, true);
    new DataView(stored.buffer).setFloat64(9, -2, true);
    const target = new Float32Array(2);
    ggmlTypes.F64.dequantize(stored.subarray(1), target);
    expect([...target]).toEqual([1.5, -2]);
    ggmlTypes.I8.dequantize(Uint8Array.of(255, 3), target);
    expect([...target]).toEqual([-1, 3]);
  });
});

describe("packing", () => {
  it.each(["F16", "BF16", "Q8_0", "Q4_0"] as const)("%s gives the reference's bytes", (name) => {
    const values = floats(pack.values);
    const { quantize, blockSize, blockBytes } = ggmlTypes[name];
    const target = new Uint8Array((values.length / blockSize) * blockBytes);
    quantize!(values, target);
    expect(target).toEqual(bytes(pack[name]));
  });

  it("refuses what blocks cannot hold", () => {
    const values = new Float32Array(32);
    values[3] = Number.NaN;
    expect(() => ggmlTypes.Q8_0.quantize!(values, new Uint8Array(34))).toThrow(CheckpointError);
    values[3] = 1e30;
    expect(() => ggmlTypes.Q4_0.quantize!(values, new Uint8Array(18))).toThrow(/scale .* of a Q4_0 block in float16/);
  });
});
