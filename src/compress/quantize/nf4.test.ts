import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dynamicCodes } from "../../base/dynamic-codes.js";
import { hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { parseSafetensors } from "../../checkpoint/safetensors.js";
import { NF4_CODES } from "../../graph/index.js";
import { dequantize, quantizeBlockwise } from "./blockwise.js";
import { quantizeNf4, unpackNf4 } from "./nf4.js";

const golden = parseSafetensors(
  readFileSync(new URL("../../../test/golden/quantize/nf4.safetensors", import.meta.url)),
).tensors;
const published = (name: string): number[] => Array.from(golden.get(name)!.data, Number);

/** The matrix of tools/golden/nf4.py. */
function hashed(rows: number, columns: number) {
  const values = Float32Array.from({ length: rows * columns }, (_, i) => {
    const mixed = (Math.imul(i, 2654435761) + 12345) >>> 0;
    const hash = (mixed ^ (mixed >>> 15)) >>> 0;
    const total = [0, 8, 16, 24].reduce((sum, shift) => sum + ((hash >>> shift) & 255), 0);
    return (((total - 510) / 128) * (1 + (Math.floor(i / columns) % 7))) / 8;
  });
  return hostTensor("float32", [rows, columns], values);
}

describe("NF4", () => {
  it("has bitsandbytes' code books", () => {
    expect([...Float32Array.from(NF4_CODES)]).toEqual(published("code"));
    expect([...dynamicCodes(true)]).toEqual(published("dynamic_code"));
  });

  it.each([
    ["nested", 200, 96],
    ["tail", 5, 30],
  ])("packs what bitsandbytes packs, to the byte (%s)", (name, rows, columns) => {
    const matrix = quantizeNf4(hashed(rows, columns));
    expect([...matrix.packed.data]).toEqual(published(`${name}.packed`));
    expect([...matrix.absmax.data]).toEqual(published(`${name}.absmax`));
    // the mean of the scales is summed in another order
    expect(Number(matrix.nestedOffset.data[0])).toBeCloseTo(published(`${name}.nested_offset`)[0]!, 6);
    for (const [i, value] of published(`${name}.nested_absmax`).entries())
      expect(Number(matrix.nestedAbsmax.data[i])).toBeCloseTo(value, 6);
    const back = unpackNf4(matrix);
    expect(back.shape).toEqual([rows, columns]);
    for (const [i, value] of published(`${name}.first`).entries()) expect(Number(back.data[i])).toBeCloseTo(value, 5);
  });

  it("takes 0.516 bytes per weight, and errs less than int4 at half a byte and more on normal values", () => {
    const rng = new Rng(5);
    const values = Float32Array.from({ length: 512 * 512 }, () => rng.normal());
    const weight = hostTensor("float32", [512, 512], values);
    const nf4 = quantizeNf4(weight);
    const { shape: _, ...parts } = nf4;
    const bytes = Object.values(parts).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(bytes / values.length).toBeCloseTo(0.516, 3);
    const squares = (back: { data: ArrayLike<number | bigint> }): number =>
      values.reduce((sum, value, i) => sum + (value - Number(back.data[i])) ** 2, 0) / values.length;
    const [error, ofInt4] = [
      squares(unpackNf4(nf4)),
      squares(dequantize(quantizeBlockwise(weight, { bits: 4, blockSize: 64 }))),
    ];
    expect(error).toBeLessThan(0.95 * ofInt4);
    expect(error).toBeGreaterThan(0);
  });

  it("keeps zeros, and refuses what it cannot pack", () => {
    expect([...unpackNf4(quantizeNf4(hostTensor("float32", [2, 3], new Float32Array(6)))).data]).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    expect(() => quantizeNf4(hostTensor("float32", [1, 2], Float32Array.of(Number.NaN, 1)))).toThrow("NaN");
    expect(() => quantizeNf4(hostTensor("int32", [1], new Int32Array(1)))).toThrow("int32[1]");
  });
});
