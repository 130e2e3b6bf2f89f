import { describe, expect, it } from "vitest";
import { draw } from "../../../test/support/graph.js";
import { Rng } from "../../base/rng.js";
import { input, interpret, reference, rope } from "../../graph/index.js";
import { xposTables } from "./xpos.js";

const [length, headDim] = [64, 6];
const tables = xposTables(length, headDim, { scaleBase: 16 });
const rng = new Rng(4);
const vectors = { q: draw({ shape: [headDim] }, rng).data, k: draw({ shape: [headDim] }, rng).data };

/** The vector as its head turned to a position. */
function turned(name: "q" | "k", position: number): Float64Array {
  const [cos, sin] = name === "q" ? [tables.queryCos, tables.querySin] : [tables.keyCos, tables.keySin];
  const inputs = {
    x: input("x", "float32", [1, 1, headDim]),
    positions: input("positions", "int64", [1, 1]),
    cos: input("cos", "float32", cos.shape),
    sin: input("sin", "float32", sin.shape),
  };
  const y = rope(inputs.x, inputs.positions, inputs.cos, inputs.sin, { interleaved: false });
  const feeds = new Map([
    [inputs.x, reference("float32", [1, 1, headDim], vectors[name])],
    [inputs.positions, reference("int64", [1, 1], Float64Array.of(position))],
    [inputs.cos, reference("float32", cos.shape, Float64Array.from(cos.data as Float32Array))],
    [inputs.sin, reference("float32", sin.shape, Float64Array.from(sin.data as Float32Array))],
  ]);
  return interpret([y], feeds)[0]!.data;
}

const score = (query: number, key: number): number => {
  const [q, k] = [turned("q", query), turned("k", key)];
  return q.reduce((sum, x, i) => sum + x * k[i]!, 0);
};

describe("xPos", () => {
  it("scores by distance alone", () => {
    for (const distance of [0, 1, 9]) expect(score(40, 40 - distance)).toBeCloseTo(score(12, 12 - distance), 5);
  });

  it("is the closed form: each pair's product times cos and sin of the angle, shrunk by ζ^(distance / base)", () => {
    const [q, k, half] = [vectors.q, vectors.k, headDim / 2];
    const distance = 7;
    let expected = 0;
    for (let i = 0; i < half; i++) {
      const angle = distance * 10_000 ** (-i / half);
      const zeta = (i / half + 0.4) / 1.4;
      const [a, b, c, d] = [q[i]!, q[i + half]!, k[i]!, k[i + half]!];
      expected += zeta ** (distance / 16) * ((a * c + b * d) * Math.cos(angle) + (a * d - b * c) * Math.sin(angle));
    }
    expect(score(20, 20 - distance)).toBeCloseTo(expected, 5);
  });

  it("shrinks the score of equal vectors with distance, and more so for short wavelengths", () => {
    const growth = (at: number, i: number): number =>
      Math.hypot(Number(tables.queryCos.data[at * 3 + i]), Number(tables.querySin.data[at * 3 + i]));
    expect(growth(40, 0)).toBeLessThan(growth(24, 0));
    expect(growth(40, 0) / growth(24, 0)).toBeLessThan(growth(40, 2) / growth(24, 2));
  });
});
