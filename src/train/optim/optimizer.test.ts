import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostTensor, hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { adamw } from "./adamw.js";
import { Optimizer, type OptimizerRule } from "./optimizer.js";
import { learningRateAt } from "./schedule.js";
import { sgd } from "./sgd.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
});
afterAll(() => runtime.close());

const random = (length: number, seed: number): Float32Array => {
  const rng = new Rng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};

/** Three steps with gradients of their own; returns the parameter. Longer than one piece, and not a multiple of it. */
async function run(
  rule: OptimizerRule,
  shape: number[],
  gradientScale: number,
  weightDecay = 0.1,
): Promise<Float32Array> {
  const length = shape.reduce((a, b) => a * b, 1);
  const parameter = hostTensor("float32", shape, random(length, 0));
  const gradient: HostTensor = hostTensor("float32", shape, new Float32Array(length));
  const optimizer = await Optimizer.create(runtime, rule, { weightDecay });
  for (const step of [0, 1, 2]) {
    (gradient.data as Float32Array).set(random(length, step + 1));
    optimizer.begin({ step, learningRate: 0.01, gradientScale });
    await optimizer.update("p", parameter, gradient);
  }
  optimizer.close();
  return parameter.data as Float32Array;
}

/** The published formulas in float64. */
const formulas = {
  adamw: (p: number, gradients: number[], decay: number): number => {
    let [m, v] = [0, 0];
    for (const [t, g] of gradients.entries()) {
      m = 0.9 * m + 0.1 * g;
      v = 0.95 * v + 0.05 * g * g;
      p -= 0.01 * decay * p;
      p -= (0.01 * (m / (1 - 0.9 ** (t + 1)))) / (Math.sqrt(v / (1 - 0.95 ** (t + 1))) + 1e-8);
    }
    return p;
  },
  sgd: (p: number, gradients: number[], decay: number): number =>
    gradients.reduce((q, g) => q * (1 - 0.01 * decay) - 0.01 * g, p),
  momentum: (p: number, gradients: number[], decay: number): number => {
    let u = 0;
    for (const g of gradients) {
      u = 0.9 * u + g;
      p = p * (1 - 0.01 * decay) - 0.01 * u;
    }
    return p;
  },
};

describe("Optimizer", () => {
  const rules = { adamw: adamw(), sgd: sgd(), momentum: sgd({ momentum: 0.9 }) };
  it.each(Object.keys(rules) as (keyof typeof rules)[])(
    "%s follows its formula over pieces, in place",
    async (name) => {
      const length = 2 * 50_000;
      const actual = await run(rules[name], [2, 50_000], 0.5);
      const start = random(length, 0);
      const gradients = [1, 2, 3].map((seed) => random(length, seed));
      for (const i of [0, 1, 65_535, 65_536, length - 1]) {
        const expected = formulas[name](
          start[i]!,
          gradients.map((g) => 0.5 * g[i]!),
          0.1,
        );
        expect(actual[i]).toBeCloseTo(expected, 5);
      }
    },
  );

  it("does not decay vectors", async () => {
    expect(await run(adamw(), [7], 1, 0.5)).toEqual(await run(adamw(), [7], 1, 0));
  });
});

describe("learningRateAt", () => {
  const base = { peak: 1, warmupSteps: 4, totalSteps: 14, finalShare: 0.1 } as const;
  it("warms up linearly, then decays to the final share", () => {
    const cosine = { ...base, name: "cosine" } as const;
    expect([0, 1, 2, 3].map((step) => learningRateAt(cosine, step))).toEqual([0.25, 0.5, 0.75, 1]);
    expect(learningRateAt(cosine, 4)).toBe(1);
    expect(learningRateAt(cosine, 13)).toBeCloseTo(0.1, 12);
    const linear = { ...base, name: "linear" } as const;
    expect(learningRateAt(linear, 4) - learningRateAt(linear, 5)).toBeCloseTo(0.1, 12);
    expect(learningRateAt({ ...base, name: "constant" }, 13)).toBe(1);
  });

  it("refuses numbers that make no schedule", () => {
    expect(() => learningRateAt({ ...base, name: "linear", peak: -1 }, 0)).toThrow("positive peak");
  });
});
