import { describe, expect, it } from "vitest";
import { hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { blockwiseBytes, dequantize, quantizeBlockwise } from "./blockwise.js";

const rng = new Rng(1);
const matrix = hostTensor(
  "float32",
  [3, 80],
  Float32Array.from({ length: 240 }, () => rng.normal()),
);

describe("quantizeBlockwise", () => {
  it.each([4, 8] as const)("is within half a level of every weight at %i bits", (bits) => {
    const packed = quantizeBlockwise(matrix, { bits });
    const back = dequantize(packed);
    expect(back.shape).toEqual([3, 80]);
    const scales = packed.scales.data as Float32Array;
    for (let i = 0; i < 240; i++) {
      const scale = scales[Math.floor(i / 80) * 3 + Math.floor((i % 80) / 32)]!;
      expect(Math.abs(Number(back.data[i]) - Number(matrix.data[i]))).toBeLessThanOrEqual(scale * 0.5001);
    }
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

  it("refuses what is not a float32 matrix", () => {
    expect(() => quantizeBlockwise(hostTensor("float32", [4], new Float32Array(4)), { bits: 4 })).toThrow("float32[4]");
  });
});
