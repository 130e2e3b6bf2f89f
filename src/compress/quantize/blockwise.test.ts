import { describe, expect, it } from "vitest";
import { hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { ggmlTypes } from "../../checkpoint/index.js";
import { blockwiseBytes, dequantize, quantizeBlockwise } from "./blockwise.js";

const rng = new Rng(1);
const matrix = hostTensor(
  "float32",
  [3, 80],
  Float32Array.from({ length: 240 }, () => rng.normal()),
);

describe("quantizeBlockwise", () => {
  // at 4 bits the side opposite the largest element has one level less
  it.each([
    [4, 1],
    [8, 0.5],
  ] as const)("at %i bits is within %f levels of every weight, on average within a quarter", (bits, most) => {
    const packed = quantizeBlockwise(matrix, { bits });
    const back = dequantize(packed);
    expect(back.shape).toEqual([3, 80]);
    const scales = packed.scales.data as Float32Array;
    let total = 0;
    for (let i = 0; i < 240; i++) {
      const scale = Math.abs(scales[Math.floor(i / 80) * 3 + Math.floor((i % 80) / 32)]!);
      const error = Math.abs(Number(back.data[i]) - Number(matrix.data[i])) / scale;
      expect(error).toBeLessThanOrEqual(most * 1.0001);
      total += error;
    }
    expect(total / 240).toBeLessThan(0.28);
    // three blocks of 32 per row of 80, a scale of 4 bytes each
    expect(blockwiseBytes(packed)).toBe(3 * 3 * (4 * bits + 4));
  });

  it("keeps zeros and the largest weight of each block", () => {
    const values = new Float32Array(64);
    values[40] = -2;
    values[41] = 1;
    const back = dequantize(quantizeBlockwise(hostTensor("float32", [1, 64], values), { bits: 4 }));
    expect([...back.data.subarray(0, 32)].every((v) => v === 0)).toBe(true);
    expect(back.data[40]).toBeCloseTo(-2, 6);
  });

  it("leaves blocks of Q4_0 as they were", () => {
    const { blockBytes, quantize, dequantize: unpack } = ggmlTypes.Q4_0;
    const blocks = new Uint8Array(2 * blockBytes);
    quantize!(matrix.data.subarray(0, 64) as Float32Array, blocks);
    const values = new Float32Array(64);
    unpack(blocks, values);
    expect(dequantize(quantizeBlockwise(hostTensor("float32", [1, 64], values), { bits: 4 })).data).toEqual(values);
  });

  it("refuses what is not a float32 matrix", () => {
    expect(() => quantizeBlockwise(hostTensor("float32", [4], new Float32Array(4)), { bits: 4 })).toThrow("float32[4]");
  });
});
