import { describe, expect, it } from "vitest";
import { draw, finiteDifference, worstDifference } from "../../test/support/graph.js";
import { Rng } from "../base/rng.js";
import { grad, input, interpret, reference, type Tensor } from "../graph/index.js";
import { type Pooling, type PoolingMode, pool, poolingModes } from "./pooling.js";

const [B, T, D] = [3, 4, 3];
const masks = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1];
const [x, mask] = [input("x", "float32", [B, T, D]), input("mask", "bool", [B, T])];
const values = draw({ shape: [B, T, D] }, new Rng(3));
const feeds = new Map([
  [x, values],
  [mask, reference("bool", [B, T], Float64Array.from(masks))],
]);

/** By definition, one row at a time. */
function expectedOf(mode: PoolingMode, row: number): number[] {
  const tokens = [0, 1, 2, 3].filter((t) => masks[row * T + t] === 1);
  const state = (t: number): number[] => Array.from(values.data.subarray((row * T + t) * D, (row * T + t + 1) * D));
  const sums = [0, 1, 2].map((d) => tokens.reduce((sum, t) => sum + state(t)[d]!, 0));
  switch (mode) {
    case "cls":
      return state(0);
    case "lasttoken":
      return state(tokens.at(-1)!);
    case "max":
      return [0, 1, 2].map((d) => Math.max(...tokens.map((t) => state(t)[d]!)));
    case "mean":
      return sums.map((sum) => sum / tokens.length);
    case "mean_sqrt_len":
      return sums.map((sum) => sum / Math.sqrt(tokens.length));
  }
}

const pooledOf = (pooling: Pooling): Float64Array => interpret([pool(x, mask, pooling)], feeds)[0]!.data;

describe("pool", () => {
  it.each(poolingModes)("%s leaves padding on both sides out", (mode) => {
    const expected = [0, 1, 2].flatMap((row) => expectedOf(mode, row));
    expect(worstDifference(pooledOf({ modes: [mode], isNormalized: false }), expected)).toBeLessThan(1e-12);
  });

  it("puts several modes one after the other and scales to unit length", () => {
    const modes = ["cls", "mean"] as const;
    const expected = [0, 1, 2].flatMap((row) => {
      const both = modes.flatMap((mode) => expectedOf(mode, row));
      return both.map((v) => v / Math.hypot(...both));
    });
    expect(worstDifference(pooledOf({ modes, isNormalized: true }), expected)).toBeLessThan(1e-12);
    expect(() => pool(x, mask, { modes: [], isNormalized: true })).toThrow("no mode");
  });

  it.each(poolingModes)("%s has the gradient of finite differences", (mode) => {
    const y = pool(x, mask, { modes: [mode], isNormalized: true });
    const ct = input("ct", "float32", [B, D]);
    const weights = draw({ shape: [B, D] }, new Rng(4));
    const gradient = grad([{ output: y, cotangent: ct }], [x])[0] as Tensor;
    const numeric = finiteDifference(values.data, (data) =>
      interpret([y], new Map(feeds).set(x, { ...values, data }))[0]!.data.reduce(
        (s, v, i) => s + v * weights.data[i]!,
        0,
      ),
    );
    expect(worstDifference(interpret([gradient], new Map(feeds).set(ct, weights))[0]!.data, numeric)).toBeLessThan(
      1e-7,
    );
  });
});
