import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { DraftLength, VERIFICATION_COST } from "./draft-length.js";

/** Time of plain decoding over that with proposals, of which each is accepted with probability `rate`. */
function speedup(rate: number, cost: number, numTokens: number, seed: number): number {
  const rng = new Rng(seed);
  const length = new DraftLength({ most: 8, cost });
  let [time, generated] = [0, 0];
  while (generated < numTokens) {
    const proposed = length.next(generated);
    let accepted = 0;
    while (accepted < proposed && rng.uniform() < rate) accepted++;
    time += 1 + (cost + VERIFICATION_COST) * proposed;
    generated += accepted + 1;
    if (proposed > 0) length.learn(proposed, accepted, generated);
  }
  return generated / time;
}

describe("the length of proposals", () => {
  it("grows where all are accepted", () => {
    const length = new DraftLength({ most: 8, cost: 0.1 });
    const lengths = Array.from({ length: 12 }, (_, i) => {
      const next = length.next(10 * i);
      length.learn(next, next, 10 * i);
      return next;
    });
    expect(lengths[0]).toBeLessThan(4);
    expect(lengths.at(-1)).toBe(8);
  });

  it.each([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1])("never costs much, whatever is accepted (%d)", (rate) => {
    for (const cost of [0, 0.1, 0.3, 1]) {
      for (const numTokens of [32, 256]) {
        const speeds = Array.from({ length: 50 }, (_, seed) => speedup(rate, cost, numTokens, seed));
        const mean = speeds.reduce((a, b) => a + b) / speeds.length;
        expect(mean, `cost ${cost}, ${numTokens} tokens`).toBeGreaterThan(0.92);
      }
    }
  });

  it("finds out when agreement begins", () => {
    const length = new DraftLength({ most: 8, cost: 0.1 });
    let generated = 0;
    for (; generated < 100; generated++) {
      const next = length.next(generated);
      if (next > 0) length.learn(next, 0, generated);
    }
    expect(length.next(generated)).toBe(0);
    let most = 0;
    for (; generated < 400; generated++) {
      const next = length.next(generated);
      if (next > 0) length.learn(next, next, generated);
      most = Math.max(most, next);
    }
    expect(most).toBe(8);
  });
});
