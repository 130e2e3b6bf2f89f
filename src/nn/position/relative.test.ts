import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { draw, finiteDifference, runOnRuntime, worstDifference } from "../../../test/support/graph.js";
import { Rng } from "../../base/rng.js";
import { grad, input, interpret, reference, type Tensor } from "../../graph/index.js";
import { Runtime } from "../../runtime/index.js";
import { relativeAttention, relativeRows } from "./relative.js";

const [B, H, T, C, K] = [2, 2, 5, 3, 2];
const scale = 0.7;
const rng = new Rng(8);
const feeds = new Map<Tensor, ReturnType<typeof draw>>();
const fed = (name: string, shape: readonly number[]): Tensor => {
  const tensor = input(name, "float32", shape);
  feeds.set(tensor, draw({ shape }, rng));
  return tensor;
};
const [q, k, v] = [fed("q", [B, H, T, C]), fed("k", [B, H, T, C]), fed("v", [B, H, T, C])];
const [keyTable, valueTable, ct] = [fed("wk", [2 * K + 1, C]), fed("wv", [2 * K + 1, C]), fed("ct", [B, H, T, C])];
const rows = input("rows", "int64", [T, T]);
feeds.set(rows, reference("int64", [T, T], Float64Array.from(relativeRows(T, T, K).data as BigInt64Array, Number)));
const out = relativeAttention(q, k, v, { scale, rows, keyTable, valueTable });

/** Equations 3 and 4, pair by pair. */
function byPairs(): Float64Array {
  const at = (tensor: Tensor, ...index: number[]): number => {
    const { shape, data } = feeds.get(tensor)!;
    return data[index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)]!;
  };
  const row = (i: number, j: number): number => Math.min(Math.max(j - i, -K), K) + K;
  const result: number[] = [];
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  for (const b of range(B)) {
    for (const h of range(H)) {
      for (const i of range(T)) {
        const scores = range(T).map(
          (j) =>
            scale *
            range(C).reduce((sum, c) => sum + at(q, b, h, i, c) * (at(k, b, h, j, c) + at(keyTable, row(i, j), c)), 0),
        );
        const powers = scores.map(Math.exp);
        const total = powers.reduce((x, y) => x + y, 0);
        for (const c of range(C)) {
          result.push(
            range(T).reduce((s, j) => s + (powers[j]! / total) * (at(v, b, h, j, c) + at(valueTable, row(i, j), c)), 0),
          );
        }
      }
    }
  }
  return Float64Array.from(result);
}

describe("relativeAttention", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 1 });
  });
  afterAll(() => runtime.close());

  it("clips distances", () => {
    expect([...relativeRows(1, 5, 1).data]).toEqual([1n, 2n, 2n, 2n, 2n]);
    expect([...relativeRows(3, 3, 1).data]).toEqual([1n, 2n, 2n, 0n, 1n, 2n, 0n, 0n, 1n]);
  });

  it("equals the paper's sums over pairs", async () => {
    const expected = byPairs();
    expect(worstDifference(interpret([out], feeds)[0]!.data, expected)).toBeLessThan(1e-12);
    expect(worstDifference((await runOnRuntime(runtime, [out], feeds))[0]!.data, expected)).toBeLessThan(1e-5);
  });

  it.each([
    ["keys' table", keyTable],
    ["values' table", valueTable],
    ["queries", q],
  ])("has the gradient of finite differences by the %s", async (_, wrt) => {
    const gradient = grad([{ output: out, cotangent: ct }], [wrt])[0]!;
    const base = feeds.get(wrt)!;
    const weights = feeds.get(ct)!.data;
    const numeric = finiteDifference(base.data, (data) =>
      interpret([out], new Map(feeds).set(wrt, { ...base, data }))[0]!.data.reduce((s, y, i) => s + y * weights[i]!, 0),
    );
    expect(worstDifference(interpret([gradient], feeds)[0]!.data, numeric)).toBeLessThan(1e-7);
    expect(worstDifference((await runOnRuntime(runtime, [gradient], feeds))[0]!.data, numeric)).toBeLessThan(1e-5);
  });

  it("leaves masked keys out and names what does not fit", () => {
    const mask = input("mask", "bool", [B, 1, 1, T]);
    const masked = relativeAttention(q, k, v, { scale, rows, keyTable, mask });
    const values = Float64Array.from({ length: B * T }, (_, i) => (i % T === 3 ? 0 : 1));
    const all = new Map(feeds).set(mask, reference("bool", [B, 1, 1, T], values));
    const other = new Map(all).set(k, {
      ...feeds.get(k)!,
      data: feeds.get(k)!.data.map((x, i) => (Math.floor(i / C) % T === 3 ? x + 9 : x)),
    });
    expect(interpret([masked], other)[0]!.data).toEqual(interpret([masked], all)[0]!.data);
    expect(() => relativeAttention(q, k, v, { scale, rows: input("r", "int64", [T, 4]), keyTable })).toThrow(
      "rows [5,4]",
    );
  });
});
