import { describe, expect, it } from "vitest";
import { differentiate } from "../differentiate.js";
import { grad } from "../grad.js";
import { interpret } from "../interpret.js";
import { add, exp, mul, reduceSum, sigmoid, tanh } from "../ops/index.js";
import { reference } from "../reference.js";
import { graph, input, scalar, type Tensor } from "../tensor.js";
import { recomputed } from "./recompute.js";

/** y = Σ exp(tanh(a) · b · w) with b = σ(a): one source depends on the other. */
function build(x: Tensor, w: Tensor, wrap: (sources: readonly Tensor[], y: Tensor) => Tensor): Tensor {
  const a = mul(x, 0.7);
  const b = sigmoid(a);
  const y = exp(mul(mul(tanh(a), b), w));
  return reduceSum(add(wrap([a, b], y), b), [0]);
}

const wrapped = (sources: readonly Tensor[], y: Tensor): Tensor => recomputed("test", sources, y);

describe("recomputed", () => {
  it("has the value and the gradients of what it wraps, by sources and by inputs inside", () => {
    const [x, w] = [input("x", "float32", [3]), input("w", "float32", [3])];
    const feeds = new Map([
      [x, reference("float32", [3], Float64Array.of(0.3, -1.2, 0.8))],
      [w, reference("float32", [3], Float64Array.of(1.5, 0.4, -0.9))],
    ]);
    const values = [(_: readonly Tensor[], y: Tensor) => y, wrapped].map((wrap) => {
      const loss = build(x, w, wrap);
      const gradients = grad([{ output: loss, cotangent: scalar(1) }], [x, w]) as Tensor[];
      return interpret([loss, ...gradients], feeds).map(({ data }) => [...data]);
    });
    for (const [i, expected] of values[0]!.entries()) {
      for (const [j, value] of expected.entries()) expect(values[1]![i]![j]).toBeCloseTo(value, 12);
    }
  });

  it("keeps nothing of its inside for the backward pass", () => {
    const vector = { dtype: "float32", shape: [3] } as const;
    const residuals = [(_: readonly Tensor[], y: Tensor) => y, wrapped].map((wrap) => {
      const source = graph("y", { x: vector, w: vector }, ({ x, w }) => ({ y: build(x, w, wrap) }));
      const kept = differentiate(source, { wrt: ["x", "w"], save: "all" }).residuals;
      return Object.values(kept).map(({ node }) => node.op.name);
    });
    expect(residuals[0]).toContain("exp");
    expect(residuals[1]).not.toContain("exp");
    expect(residuals[1]).not.toContain("tanh");
  });
});
