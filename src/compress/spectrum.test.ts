import { describe, expect, it } from "vitest";
import { hostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { rankForEnergy, singularValues } from "./spectrum.js";

/** Orthonormal columns [size, count] by Gram and Schmidt. */
function orthonormal(size: number, count: number, seed: number): number[][] {
  const rng = new Rng(seed);
  const columns: number[][] = [];
  while (columns.length < count) {
    let v = Array.from({ length: size }, () => rng.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const u of columns) {
        const dot = u.reduce((sum, x, i) => sum + x * v[i]!, 0);
        v = v.map((x, i) => x - dot * u[i]!);
      }
    }
    const length = Math.hypot(...v);
    columns.push(v.map((x) => x / length));
  }
  return columns;
}

/** U diag(values) Vᵀ. */
function matrixWith(values: readonly number[], numRows: number, numColumns: number) {
  const [u, v] = [orthonormal(numRows, values.length, 1), orthonormal(numColumns, values.length, 2)];
  const data = Float32Array.from({ length: numRows * numColumns }, (_, i) =>
    values.reduce((sum, s, k) => sum + s * u[k]![Math.floor(i / numColumns)]! * v[k]![i % numColumns]!, 0),
  );
  return hostTensor("float32", [numRows, numColumns], data);
}

describe("singularValues", () => {
  it.each([
    [[5, 3, 3, 1, 0.25], 12, 9],
    [[7, 2, 1e-2], 3, 40],
    [[4], 1, 6],
    [[9, 1], 30, 2],
  ])("%j of a matrix made of them, %i x %i", (values, numRows, numColumns) => {
    const found = singularValues(matrixWith(values, numRows, numColumns));
    expect(found).toHaveLength(Math.min(numRows, numColumns));
    // the matrix is rounded to float32; roots of what is left of zero are up to 1e-7 of the largest
    for (const [i, value] of found.entries())
      expect(Math.abs(value - (values[i] ?? 0))).toBeLessThan(1e-6 * values[0]!);
  });

  it("hold the matrix's energy, and are zero for zeros and equal for a diagonal", () => {
    const rng = new Rng(4);
    const matrix = hostTensor(
      "float32",
      [60, 80],
      Float32Array.from({ length: 4800 }, () => rng.normal()),
    );
    const energy = (matrix.data as Float32Array).reduce((sum, x) => sum + x * x, 0);
    expect(singularValues(matrix).reduce((sum, s) => sum + s * s, 0) / energy).toBeCloseTo(1, 10);
    expect([...singularValues(hostTensor("float32", [3, 3], new Float32Array(9)))]).toEqual([0, 0, 0]);
    const diagonal = hostTensor("float32", [3, 3], Float32Array.of(0, 0, 2, -3, 0, 0, 0, 1, 0));
    for (const [i, value] of singularValues(diagonal).entries()) expect(value).toBeCloseTo([3, 2, 1][i]!, 12);
  });

  it("refuses what is no matrix of numbers", () => {
    expect(() => singularValues(hostTensor("float32", [4], new Float32Array(4)))).toThrow("expected a matrix");
    const broken = hostTensor("float32", [1, 2], Float32Array.of(1, Number.NaN));
    expect(() => singularValues(broken)).toThrow("element 1 is NaN");
  });
});

describe("rankForEnergy", () => {
  it("is the least rank that holds the share", () => {
    expect([0, 0.5, 0.9, 0.98, 0.981, 1].map((share) => rankForEnergy([7, 7, Math.sqrt(2)], share))).toEqual([
      0, 2, 2, 2, 3, 3,
    ]);
    expect(rankForEnergy([0, 0], 0.9)).toBe(0);
    expect(() => rankForEnergy([1], 90)).toThrow("0 … 1, got 90");
  });
});
