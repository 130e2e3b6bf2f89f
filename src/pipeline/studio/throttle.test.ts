import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Throttle } from "./throttle.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("tells once of what comes together, again of what comes later, and not of what was told", () => {
  let numTold = 0;
  const throttle = new Throttle(() => numTold++);
  for (let i = 0; i < 100; i++) throttle.soon();
  expect(numTold).toBe(0);
  vi.runAllTimers();
  expect(numTold).toBe(1);
  throttle.soon();
  vi.runAllTimers();
  expect(numTold).toBe(2);
  throttle.soon();
  throttle.cancel();
  vi.runAllTimers();
  expect(numTold).toBe(2);
});
