import { describe, expect, it } from "vitest";
import { sinusoidalTable } from "./sinusoidal.js";

const [length, size] = [40, 8];
const { data } = sinusoidalTable(length, size);
const row = (position: number): number[] => Array.from(data.subarray(position * size, (position + 1) * size), Number);

describe("sinusoidalTable", () => {
  it("is the closed form", () => {
    for (const position of [0, 1, 17, 39]) {
      for (let i = 0; i < size / 2; i++) {
        const angle = position / 10_000 ** ((2 * i) / size);
        expect(row(position)[2 * i]).toBeCloseTo(Math.sin(angle), 6);
        expect(row(position)[2 * i + 1]).toBeCloseTo(Math.cos(angle), 6);
      }
    }
  });

  it("gives products that depend on the distance alone", () => {
    const product = (a: number, b: number): number => row(a).reduce((sum, x, i) => sum + x * row(b)[i]!, 0);
    for (const distance of [0, 3, 11]) expect(product(20, 20 + distance)).toBeCloseTo(product(5, 5 + distance), 5);
  });

  it("takes odd sizes, whose last column is a sine", () => {
    const odd = sinusoidalTable(3, 5);
    expect(odd.data[2 * 5 + 4]).toBeCloseTo(Math.sin(2 / 10_000 ** (4 / 5)), 6);
  });
});
