import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamicCodes } from "../../base/dynamic-codes.js";
import { hostTensor, zeros } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { adafactor } from "./adafactor.js";
import { adamw } from "./adamw.js";
import { adamw8bit } from "./adamw-8bit.js";
import { DynamicCode } from "./dynamic-code.js";
import { lion } from "./lion.js";
import { Optimizer, type OptimizerRule, stateBytes } from "./optimizer.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
});
afterAll(() => runtime.close());

const random = (length: number, seed: number): Float32Array => {
  const rng = new Rng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};

interface Course {
  readonly shape: readonly number[];
  readonly start: ArrayLike<number>;
  readonly gradients: readonly ArrayLike<number>[];
}

/** Values after every step. */
async function follow(
  rule: OptimizerRule,
  { shape, start, gradients }: Course,
  { learningRate = 0.05, gradientScale = 1, weightDecay = 0 } = {},
): Promise<{ values: Float32Array[]; optimizer: Optimizer }> {
  const parameter = hostTensor("float32", shape, Float32Array.from(start));
  const gradient = zeros("float32", shape);
  const optimizer = await Optimizer.create(runtime, rule, { weightDecay });
  const values: Float32Array[] = [];
  for (const [step, given] of gradients.entries()) {
    (gradient.data as Float32Array).set(given);
    optimizer.begin({ step, learningRate, gradientScale });
    await optimizer.update("p", parameter, gradient);
    values.push((parameter.data as Float32Array).slice());
  }
  optimizer.close();
  return { values, optimizer };
}

const course = (shape: readonly number[], steps = 3): Course => {
  const length = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    start: random(length, 0),
    gradients: Array.from({ length: steps }, (_, i) => random(length, i + 1).map((v) => v * 0.1 ** i)),
  };
};

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);

/** Algorithms 4 and 5 of the paper in float64, with decoupled decay. */
function adafactorFormula({ shape, start, gradients }: Course, rate: number, decay: number): number[] {
  const columns = shape.at(-1)!;
  const numRows = start.length / columns;
  const p = Array.from(start);
  const [r, c] = [new Array<number>(numRows).fill(0), new Array<number>(columns).fill(0)];
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const rms = (values: number[]): number => Math.sqrt(mean(values.map((v) => v * v)));
  for (const [t, g] of gradients.entries()) {
    const beta = 1 - (t + 1) ** -0.8;
    const squares = Array.from(g, (v) => v * v + 1e-30);
    for (let i = 0; i < numRows; i++) {
      r[i] = beta * r[i]! + (1 - beta) * mean(squares.slice(i * columns, (i + 1) * columns));
    }
    const sums = new Array<number>(columns).fill(0);
    for (const [i, square] of squares.entries()) sums[i % columns]! += square / numRows;
    for (let j = 0; j < columns; j++) c[j] = beta * c[j]! + (1 - beta) * sums[j]!;
    const whole = mean(r);
    const u = Array.from(g, (v, i) => v / Math.sqrt((r[Math.floor(i / columns)]! * c[i % columns]!) / whole));
    const alpha = Math.max(1e-3, rms(p)) * Math.min(rate, 1 / Math.sqrt(t + 1));
    const clip = Math.max(1, rms(u));
    for (const i of p.keys()) p[i] = p[i]! * (1 - rate * (shape.length > 1 ? decay : 0)) - (alpha * u[i]!) / clip;
  }
  return p;
}

describe("adafactor", () => {
  it("takes the steps that transformers takes", async () => {
    const path = new URL("../../../test/golden/optim/adafactor.json", import.meta.url);
    const { cases, learningRate } = JSON.parse(readFileSync(path, "utf8")) as {
      learningRate: number;
      cases: (Course & { expected: number[][] })[];
    };
    for (const { expected, ...given } of cases) {
      const { values } = await follow(adafactor(), given, { learningRate });
      // float32 against float32: a few roundings of numbers near 1
      for (const [step, now] of values.entries()) expect(worst(now, expected[step]!)).toBeLessThan(2e-6);
    }
  });

  it.each([[[300, 500]], [[3, 4, 5]], [[9]]])("follows its formula over tiles of rows: %j", async (shape) => {
    const given = course(shape);
    const scaled = { ...given, gradients: given.gradients.map((g) => Float32Array.from(g, (v) => v / 4)) };
    const { values } = await follow(adafactor(), given, { gradientScale: 0.25, weightDecay: 0.1, learningRate: 0.6 });
    expect(worst(values.at(-1)!, adafactorFormula(scaled, 0.6, 0.1))).toBeLessThan(2e-5);
  });

  it("keeps a row and a column of a matrix, and stands rows without gradients", async () => {
    expect(stateBytes(adafactor(), [300, 500])).toBe(4 * 800);
    const given = course([4, 6]);
    const gradients = given.gradients.map((g) => Float32Array.from(g).fill(0, 6, 18));
    const { values } = await follow(adafactor(), { ...given, gradients });
    expect(values.at(-1)!.subarray(6, 18)).toEqual(Float32Array.from(given.start).subarray(6, 18));
    expect(values.at(-1)!.every(Number.isFinite)).toBe(true);
  });
});

describe("lion", () => {
  it("follows its formula, with one state", async () => {
    const given = course([40, 50]);
    const { values } = await follow(lion(), given, { gradientScale: 0.5, weightDecay: 0.1, learningRate: 0.01 });
    const p = Array.from(given.start);
    const m = p.map(() => 0);
    for (const g of given.gradients) {
      for (const i of p.keys()) {
        const gradient = 0.5 * g[i]!;
        p[i] = p[i]! * (1 - 0.01 * 0.1) - 0.01 * Math.sign(0.9 * m[i]! + 0.1 * gradient);
        m[i] = 0.99 * m[i]! + 0.01 * gradient;
      }
    }
    expect(worst(values.at(-1)!, p)).toBeLessThan(1e-6);
    expect(stateBytes(lion(), [40, 50])).toBe(stateBytes(adamw(), [40, 50]) / 2);
  });
});

/** The code nearest to a value, by trying all; a positive value of the unsigned codes is never 0. */
function nearest(codes: Float32Array, value: number, isSigned: boolean): number {
  const allowed = isSigned || value === 0 ? codes : codes.filter((code) => code > 0);
  return allowed.reduce((best, code) => (Math.abs(code - value) < Math.abs(best - value) ? code : best));
}

describe("dynamic codes", () => {
  it("are the published ones: 256, dense near zero, with 0 and 1", () => {
    for (const isSigned of [true, false]) {
      const codes = dynamicCodes(isSigned);
      expect(codes).toHaveLength(256);
      expect(new Set(codes).size).toBe(256);
      expect(codes.at(-1)).toBe(1);
      expect(codes).toContain(0);
      // middles of linspace(0.1, 1, n + 1), n = 64 or 128
      expect(codes.at(-2)).toBeCloseTo(isSigned ? 0.99296875 : 0.996484375, 7);
      expect(codes[0]).toBeCloseTo(isSigned ? -0.99296875 : 0, 7);
      expect(codes.find((code) => code > 0)).toBeCloseTo(isSigned ? 5.5e-7 : 3.25e-7, 10);
    }
  });

  it.each([true, false])("stand for the nearest values (signed: %s)", (isSigned) => {
    const rng = new Rng(5);
    const values = Float32Array.from({ length: 1000 }, (_, i) => {
      const value = i % 7 === 0 ? 0 : rng.normal() * 10 ** -rng.below(9);
      return isSigned ? value : Math.abs(value);
    });
    const code = new DynamicCode(isSigned, 256);
    const [codes, scales, back] = [new Uint8Array(1000), new Float32Array(4), new Float32Array(1000)];
    code.encode(values, codes, scales);
    code.decode(codes, scales, back);
    const table = dynamicCodes(isSigned);
    for (const [i, value] of values.entries()) {
      const scale = scales[Math.floor(i / 256)]!;
      const best = nearest(table, value / scale, isSigned) * scale;
      // two codes may be equally near but for rounding of numbers up to 1
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(Math.abs(best - value) + scale * 1e-6);
    }
  });
});

describe("adamw8bit", () => {
  it("is AdamW in the first step, and AdamW over coded states after it", async () => {
    const given = course([100, 700]);
    const settings = { learningRate: 0.01, weightDecay: 0.1 };
    const { values } = await follow(adamw8bit(), given, settings);
    const plain = await follow(adamw(), given, settings);
    expect(values[0]).toEqual(plain.values[0]);
    const p = Array.from(given.start);
    const states = { m: p.map(() => 0), v: p.map(() => 0) };
    const [signed, unsigned] = [dynamicCodes(true), dynamicCodes(false)];
    for (const [t, g] of given.gradients.slice(0, 2).entries()) {
      for (let i = 0; i < 512; i++) {
        states.m[i] = 0.9 * states.m[i]! + 0.1 * g[i]!;
        states.v[i] = 0.95 * states.v[i]! + 0.05 * g[i]! ** 2;
        const [m, v] = [states.m[i]! / (1 - 0.9 ** (t + 1)), states.v[i]! / (1 - 0.95 ** (t + 1))];
        p[i] = p[i]! * (1 - 0.001) - (0.01 * m) / (Math.sqrt(v) + 1e-8);
      }
      for (const [moment, codes, isSigned] of [
        ["m", signed, true],
        ["v", unsigned, false],
      ] as const) {
        for (let start = 0; start < 512; start += 256) {
          const block = states[moment].slice(start, start + 256);
          const scale = Math.max(...block.map(Math.abs));
          block.forEach((value, i) => {
            states[moment][start + i] = nearest(codes, value / scale, isSigned) * scale;
          });
        }
      }
    }
    expect(worst(values[1]!.subarray(0, 512), p.slice(0, 512))).toBeLessThan(1e-5);
    expect(worst(values[1]!, plain.values[1]!)).toBeGreaterThan(0);
  });

  it("takes two bytes a parameter and a scale a block; small parameters stay in float32", async () => {
    const { optimizer } = await follow(adamw8bit(), course([100, 700]));
    const bytes = [...optimizer.states()].reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    expect(bytes).toBe(2 * 70_000 + 2 * 4 * Math.ceil(70_000 / 256));
    expect(bytes).toBe(stateBytes(adamw8bit(), [100, 700]));
    expect(bytes / 70_000).toBeLessThan(2.04);
    expect(stateBytes(adamw8bit(), [10, 10])).toBe(800);
    expect(() => adamw8bit({ blockSize: 100 })).toThrow("power of two");
  });
});
