import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { sharedRuntime } from "../../../test/support/golden.js";
import { InBatchLoss } from "./in-batch-loss.js";

interface Golden {
  readonly batch: number;
  readonly width: number;
  readonly cases: readonly {
    readonly negatives: number;
    readonly symmetric: boolean;
    readonly scale: number;
    readonly loss: number;
    readonly queries: number[];
    readonly passages: number[];
    readonly queryGradients: number[];
    readonly passageGradients: number[];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/contrastive/in-batch.json", import.meta.url), "utf8"),
) as Golden;

const runtime = sharedRuntime();
const worst = (a: ArrayLike<number | bigint>, b: readonly number[]): number => {
  expect(a.length).toBe(b.length);
  return Math.max(...b.map((value, i) => Math.abs(Number(a[i]) - value)));
};

it.each(golden.cases)(
  "is sentence-transformers' loss with its gradients: $negatives negatives, symmetric $symmetric",
  async (given) => {
    const { negatives: numNegatives, symmetric: isSymmetric, scale } = given;
    const loss = await InBatchLoss.create(runtime(), { ...golden, numNegatives, isSymmetric, scale });
    (loss.queries.data as Float32Array).set(given.queries);
    (loss.passages.data as Float32Array).set(given.passages);
    // float32 sums in another order
    expect(await loss.run()).toBeCloseTo(given.loss, 4);
    expect(worst(loss.queryGradients.data, given.queryGradients)).toBeLessThan(2e-5);
    expect(worst(loss.passageGradients.data, given.passageGradients)).toBeLessThan(2e-5);
    loss.close();
  },
);

it("refuses sizes that make no batch, and a scale that is none", async () => {
  await expect(InBatchLoss.create(runtime(), { batch: 1, width: 4 })).rejects.toThrow(
    "batch must be a whole number from 2 on, got 1",
  );
  await expect(InBatchLoss.create(runtime(), { batch: 2, width: 4, scale: 0 })).rejects.toThrow(
    "scale must be positive",
  );
});
