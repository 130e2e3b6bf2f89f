import { expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { HotTier } from "./hot-tier.js";

it("keeps what was asked for again, however much is asked for once", () => {
  const tier = new HotTier<number, string>(100);
  const hot = [1, 2, 3];
  for (const key of hot) tier.set(key, 0, `value ${key}`, 10);
  for (const key of hot) expect(tier.get(key, 0)).toBe(`value ${key}`);
  for (let key = 10; key < 1000; key++) {
    tier.set(key, 0, "once", 10);
    expect(tier.bytes).toBeLessThanOrEqual(100);
  }
  expect(hot.map((key) => tier.get(key, 0))).toEqual(["value 1", "value 2", "value 3"]);
  expect(tier.get(10, 0)).toBeUndefined();
  expect(tier.get(999, 0)).toBe("once");
});

it("gives only values of the version asked for, and keeps none that is too large", () => {
  const tier = new HotTier<string, number>(100);
  tier.set("a", 1, 7, 10);
  expect(tier.get("a", 2)).toBeUndefined();
  expect(tier.get("a", 1)).toBeUndefined();
  tier.set("a", 2, 8, 10);
  tier.set("a", 2, 9, 12);
  expect(tier.get("a", 2)).toBe(9);
  expect(tier.bytes).toBe(12);
  tier.set("a", 3, 10, 21);
  expect(tier.get("a", 3)).toBeUndefined();
  expect(tier.bytes).toBe(0);
  const none = new HotTier<string, number>(0);
  none.set("a", 1, 7, 1);
  expect(none.get("a", 1)).toBeUndefined();
});

it("stays within its bytes under any load", () => {
  const rng = new Rng(1);
  const tier = new HotTier<number, number>(1000);
  let hits = 0;
  for (let i = 0; i < 20_000; i++) {
    // squared: small keys more often
    const key = Math.floor(rng.uniform() ** 4 * 500);
    if (tier.get(key, 0) === key) hits++;
    else tier.set(key, 0, key, 1 + (key % 30));
    expect(tier.bytes).toBeLessThanOrEqual(1000);
  }
  // a twelfth of all bytes has room; what is asked for most is there in most cases
  expect(hits / 20_000).toBeGreaterThan(0.5);
});
