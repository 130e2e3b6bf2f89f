import { describe, expect, it } from "vitest";
import { draw, finiteDifference, worstDifference } from "../../../test/support/graph.js";
import { Rng } from "../../base/rng.js";
import { grad } from "../grad.js";
import { interpret } from "../interpret.js";
import { input, scalar } from "../tensor.js";
import { linearCrossEntropy } from "./cross-entropy.js";

describe("linearCrossEntropy", () => {
  const h = input("h", "float32", [5, 3]);
  const w = input("w", "float32", [4, 3]);
  const labels = input("labels", "int64", [5]);
  const weights = input("weights", "float32", [5]);
  const rng = new Rng(1);
  const feeds = new Map([
    [h, draw({ shape: h.shape }, rng)],
    [w, draw({ shape: w.shape }, rng)],
    [labels, draw({ shape: [5], dtype: "int64", values: { below: 4 } }, rng)],
    [weights, draw({ shape: [5], values: [0.5, 0, 1, 2, 0.25] }, rng)],
  ]);
  const loss = linearCrossEntropy(h, w, labels, weights);

  it("is the weighted sum of -log softmax at the labels", () => {
    const [hv, wv, lv, gv] = [...feeds.values()].map((value) => value.data);
    let expected = 0;
    for (let n = 0; n < 5; n++) {
      const logits = [0, 1, 2, 3].map((c) => [0, 1, 2].reduce((s, d) => s + hv![n * 3 + d]! * wv![c * 3 + d]!, 0));
      const logSum = Math.log(logits.reduce((s, z) => s + Math.exp(z), 0));
      expected += gv![n]! * (logSum - logits[lv![n]!]!);
    }
    expect(interpret([loss], feeds)[0]!.data[0]).toBeCloseTo(expected, 12);
  });

  it.each([h, w, weights])("has the gradient that finite differences give", (wrt) => {
    const [gradient] = grad([{ output: loss, cotangent: scalar(1.5) }], [wrt]);
    const base = feeds.get(wrt)!;
    const numeric = finiteDifference(
      base.data,
      (data) => 1.5 * interpret([loss], new Map(feeds).set(wrt, { ...base, data }))[0]!.data[0]!,
    );
    expect(worstDifference(interpret([gradient!], feeds)[0]!.data, numeric)).toBeLessThan(1e-7);
  });
});
