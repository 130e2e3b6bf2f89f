/** @file Curves of the page: points in any order, thinned without losing a peak. */

import { describe, expect, it } from "vitest";
import { Rng } from "../../src/base/rng.js";
import { smoothed, thinOut, within } from "../../studio/src/parts/thin-out.js";
import { Curve } from "../../studio/src/views/runs/curve.js";

const rng = new Rng(1);
const xs = Array.from({ length: 10_000 }, (_, i) => i + 1);
const ys = xs.map((x) => 3 + 2 / x + 0.1 * rng.normal());

describe("thinning out", () => {
  it("keeps order, ends of the range of values, and at most two points a stretch", () => {
    const thin = thinOut({ xs, ys }, 300);
    expect(thin.xs.length).toBeLessThanOrEqual(602);
    expect(thin.xs).toEqual([...thin.xs].sort((a, b) => a - b));
    expect(Math.max(...thin.ys)).toBe(Math.max(...ys));
    expect(Math.min(...thin.ys)).toBe(Math.min(...ys));
    thin.xs.forEach((x, i) => {
      expect(thin.ys[i]).toBe(ys[x - 1]);
    });
  });

  it("keeps a single peak between others, and leaves out what is missing", () => {
    const flat: (number | undefined)[] = xs.map(() => 1);
    flat[4321] = 9;
    flat[17] = undefined;
    const thin = thinOut({ xs, ys: flat }, 100);
    expect(thin.ys.filter((y) => y === 9)).toEqual([9]);
    expect(thinOut({ xs: [1, 2, 3], ys: [5, undefined, 7] }, 100)).toEqual({ xs: [1, 3], ys: [5, 7] });
  });

  it("cuts a range with a point beyond each end, and means of the last few", () => {
    expect(within({ xs: [1, 2, 3, 4, 5], ys: [1, 2, 3, 4, 5] }, 2.5, 3.5)).toEqual({ xs: [2, 3, 4], ys: [2, 3, 4] });
    expect(smoothed({ xs: [1, 2, 3, 4], ys: [2, 4, undefined, 8] }, 2).ys).toEqual([2, 3, undefined, 6]);
  });
});

it("points of a run are one per step, whatever came first", () => {
  const curve = new Curve();
  curve.add([{ step: 3, loss: 1 }]);
  curve.add([
    { step: 0, heldOutLoss: 4 },
    { step: 2, loss: 2 },
    { step: 3, heldOutLoss: 1.5 },
  ]);
  expect(curve.points).toEqual([
    { step: 0, heldOutLoss: 4 },
    { step: 2, loss: 2 },
    { step: 3, loss: 1, heldOutLoss: 1.5 },
  ]);
  expect(curve.line("loss")).toEqual({ xs: [2, 3], ys: [2, 1] });
});
