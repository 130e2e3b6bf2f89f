import { describe, expect, it } from "vitest";
import { overfitting } from "./overfitting.js";

const falling = Array.from({ length: 60 }, (_, i) => 4 / (1 + i / 5));
const curve = (...losses: number[]) => losses.map((loss, i) => ({ step: 10 * i, loss }));

describe("overfitting", () => {
  it("begins at the lowest held-out loss, where training loss falls on", () => {
    const found = overfitting(curve(5, 3, 2.5, 2.6, 2.9, 3.2, 3.5), falling)!;
    expect(found).toMatchObject({ step: 20, lowest: 2.5, last: 3.5 });
    expect(found.trainingNow).toBeLessThan(found.trainingThen);
  });

  it("is none where held-out loss falls or stays, or training loss rises too", () => {
    expect(overfitting(curve(5, 3, 2.5, 2.4, 2.3, 2.2, 2.1), falling)).toBeUndefined();
    expect(overfitting(curve(5, 3, 2.5, 2.51, 2.5, 2.52, 2.51), falling)).toBeUndefined();
    expect(overfitting(curve(2, 3, 4, 5, 6, 7, 8), falling.toReversed())).toBeUndefined();
    expect(overfitting([], [])).toBeUndefined();
  });

  it("may begin at once", () => {
    expect(overfitting(curve(2, 2.2, 2.4, 2.6, 2.8, 3, 3.2), falling)).toMatchObject({ step: 0, lowest: 2 });
  });
});
