import { describe, expect, it } from "vitest";
import { longest, RecentLengths } from "./length-predictor.js";

describe("length predictors", () => {
  it("guess by the answers to prompts of the same size, and by all where there are none", () => {
    const lengths = new RecentLengths({ first: 50, quantile: 0.8, remembered: 10 });
    expect(lengths.predict(100, 400)).toBe(50);
    for (let i = 1; i <= 10; i++) lengths.learn(100, 10 * i);
    // 8 of 10 answers are shorter
    expect(lengths.predict(70, 400)).toBe(90);
    expect(lengths.predict(70, 60)).toBe(60);
    expect(lengths.predict(1000, 400)).toBe(90);
    for (let i = 0; i < 10; i++) lengths.learn(1000, 7);
    expect(lengths.predict(1000, 400)).toBe(7);
    expect(lengths.predict(100, 400)).toBe(90);
  });

  it("may leave room for all that was asked", () => {
    expect(longest.predict(10, 300)).toBe(300);
  });
});
