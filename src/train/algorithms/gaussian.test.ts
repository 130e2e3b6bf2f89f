import { expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { Gaussian } from "./gaussian.js";

const COUNT = 400_000;

function draw(seed: number, count = COUNT): Float32Array {
  const out = new Float32Array(count);
  new Gaussian().fill(out, count, new Rng(seed));
  return out;
}

it("has the normal distribution's moments and tails", () => {
  const z = draw(1);
  const mean = (f: (x: number) => number): number => z.reduce((sum, x) => sum + f(x), 0) / COUNT;
  // five standard errors each: √(Var f / n)
  expect(Math.abs(mean((x) => x))).toBeLessThan(5 * Math.sqrt(1 / COUNT));
  expect(Math.abs(mean((x) => x ** 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / COUNT));
  expect(Math.abs(mean((x) => x ** 3))).toBeLessThan(5 * Math.sqrt(15 / COUNT));
  expect(Math.abs(mean((x) => x ** 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / COUNT));
  // P(|z| > a) from tables: within the layers, near the tail, in the tail
  for (const [a, p] of [
    [0.5, 0.6170750774519738],
    [1, 0.31731050786291415],
    [2, 0.04550026389635842],
    [3, 0.0026997960632601866],
    [3.7, 0.00021560143370764],
  ] as const) {
    const share = mean((x) => (Math.abs(x) > a ? 1 : 0));
    expect(Math.abs(share - p), `beyond ${a}`).toBeLessThan(5 * Math.sqrt(p / COUNT));
  }
});

it("gives the same numbers for the same seed, however they are cut into blocks", () => {
  const whole = draw(7, 1000);
  const rng = new Rng(7);
  const gaussian = new Gaussian();
  const parts = [600, 400].map((count) => {
    const part = new Float32Array(600);
    gaussian.fill(part, count, rng);
    return part.subarray(0, count);
  });
  expect(Float32Array.from(parts.flatMap((part) => [...part]))).toEqual(whole);
  expect(draw(8, 1000)).not.toEqual(whole);
});
