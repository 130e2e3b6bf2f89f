import { describe, expect, it } from "vitest";
import { draw, finiteDifference, worstDifference } from "../../../test/support/graph.js";
import { Rng } from "../../base/rng.js";
import { grad } from "../grad.js";
import { interpret } from "../interpret.js";
import { input, type Tensor } from "../tensor.js";
import { additiveAttention } from "./additive-attention.js";

const [B, T, S, A, D] = [2, 3, 4, 2, 3];
const rng = new Rng(6);
const feeds = new Map<Tensor, ReturnType<typeof draw>>();
const fed = (name: string, shape: readonly number[]): Tensor => {
  const tensor = input(name, "float32", shape);
  feeds.set(tensor, draw({ shape }, rng));
  return tensor;
};
const [queries, keys, weight] = [fed("q", [B, T, A]), fed("k", [B, S, A]), fed("w", [A])];
const [states, ct] = [fed("h", [B, S, D]), fed("ct", [B, T, D])];
const mask = input("mask", "bool", [B, S]);
feeds.set(mask, draw({ shape: [B, S], dtype: "bool", values: [0, 1, 1, 1, 1, 1, 1, 0] }, rng));

/** The paper's sums, pair by pair. */
function byPairs(): number[] {
  const at = (tensor: Tensor, ...index: number[]): number => {
    const { shape, data } = feeds.get(tensor)!;
    return data[index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)]!;
  };
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  return range(B).flatMap((b) =>
    range(T).flatMap((i) => {
      const powers = range(S).map((j) => {
        const score = range(A).reduce(
          (s, a) => s + at(weight, a) * Math.tanh(at(queries, b, i, a) + at(keys, b, j, a)),
          0,
        );
        return at(mask, b, j) * Math.exp(score);
      });
      const total = powers.reduce((x, y) => x + y, 0);
      return range(D).map((d) => range(S).reduce((s, j) => s + (powers[j]! / total) * at(states, b, j, d), 0));
    }),
  );
}

describe("additiveAttention", () => {
  it.each([undefined, 1, 2])("is the paper's weighted sum, in tiles of %s", (tile) => {
    const y = additiveAttention(queries, keys, weight, states, { mask, ...(tile && { tile }) });
    expect(worstDifference(interpret([y], feeds)[0]!.data, byPairs())).toBeLessThan(1e-12);
  });

  it.each([queries, keys, weight, states])("has the gradient of finite differences by %s", (wrt) => {
    const y = additiveAttention(queries, keys, weight, states, { mask, tile: 2 });
    const gradient = grad([{ output: y, cotangent: ct }], [wrt])[0] as Tensor;
    const [base, weights] = [feeds.get(wrt)!, feeds.get(ct)!.data];
    const numeric = finiteDifference(base.data, (data) =>
      interpret([y], new Map(feeds).set(wrt, { ...base, data }))[0]!.data.reduce((s, v, i) => s + v * weights[i]!, 0),
    );
    expect(worstDifference(interpret([gradient], feeds)[0]!.data, numeric)).toBeLessThan(1e-7);
  });

  it("names what does not fit", () => {
    expect(() => additiveAttention(queries, states, weight, states)).toThrow("keys [2,4,3]");
  });
});
