import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { Candidates } from "./candidates.js";
import { choicesConstraint, TokenTrie } from "./constraints/index.js";
import { acceptOrResample, type TokenDistribution } from "./proposal.js";
import { Sampler } from "./sampler.js";

describe("acceptOrResample", () => {
  it.each([
    ["overlap", [0.5, 0.3, 0.15, 0.05], { ids: [0, 1, 2, 3], probabilities: [0.1, 0.2, 0.3, 0.4] }],
    ["lie apart in part", [0.5, 0, 0.4, 0.1], { ids: [1, 2], probabilities: [0.6, 0.4] }],
    ["are equal", [0.25, 0.25, 0.25, 0.25], { ids: [0, 1, 2, 3], probabilities: [0.25, 0.25, 0.25, 0.25] }],
  ])("gives the target's distribution, and takes as much of the draft's as can be, where they %s", (_, p, draft) => {
    const q: TokenDistribution = {
      ids: Int32Array.from(draft.ids),
      probabilities: Float64Array.from(draft.probabilities),
    };
    const [rng, candidates] = [new Rng(1), new Candidates(4)];
    candidates.fill(Float32Array.from(p, Math.log));
    const [counts, numDraws] = [[0, 0, 0, 0], 40_000];
    let accepted = 0;
    for (let i = 0; i < numDraws; i++) {
      let [proposed, rest] = [-1, rng.uniform()];
      while (rest >= 0 && proposed < draft.ids.length - 1) rest -= draft.probabilities[++proposed]!;
      const id = acceptOrResample(candidates, draft.ids[proposed]!, q, rng);
      counts[id]!++;
      if (id === draft.ids[proposed]) accepted++;
    }
    const chiSquare = p.reduce(
      (sum, x, id) => (x === 0 ? sum : sum + (counts[id]! - x * numDraws) ** 2 / (x * numDraws)),
      0,
    );
    // 3 degrees of freedom: above 16.3 once in a thousand
    expect(chiSquare).toBeLessThan(16.3);
    for (const [id, x] of p.entries()) if (x === 0) expect(counts[id]).toBe(0);
    const overlap = draft.ids.reduce((sum, id, i) => sum + Math.min(p[id]!, draft.probabilities[i]!), 0);
    expect(Math.abs(accepted / numDraws - overlap)).toBeLessThan(0.01);
  });
});

describe("proposals of a sampler", () => {
  const request = { vocabSize: 4, stopIds: new Set([3]), prompt: [0], seed: 5 };
  const logits = Float32Array.of(1, 2, 3, 0);

  it("follow the request's steps over tokens that are not yet text, and leave no trace", () => {
    const sampler = new Sampler({ frequencyPenalty: 2 }, request);
    expect([[], [2], [2, 2], [2, 1]].map((ahead) => sampler.propose(logits, ahead)?.id)).toEqual([2, 1, 1, 0]);
    expect(sampler.next(logits).id).toBe(2);
    const [plain, asked] = [1, 2].map(() => new Sampler({ temperature: 1 }, request));
    const draws = Array.from({ length: 20 }, () => {
      expect(asked!.propose(logits, [1])?.distribution?.ids.length).toBe(4);
      return [plain!.next(logits).id, asked!.next(logits).id];
    });
    for (const [one, other] of draws) expect(other).toBe(one);
  });

  it("keep to a constraint and end with it", () => {
    const bytes = ["a", "b", "c", ""].map((text) => new TextEncoder().encode(text));
    const sampler = new Sampler(
      {},
      { ...request, stopIds: new Set(), constraint: choicesConstraint(["ab", "ca"], new TokenTrie(bytes)) },
    );
    expect([[], [2]].map((ahead) => sampler.propose(logits, ahead)?.id)).toEqual([2, 0]);
    expect(sampler.propose(logits, [2, 0])).toBeUndefined();
    expect(sampler.next(logits).id).toBe(2);
  });

  it("are taken within a tolerance, and only if they may come", () => {
    const surprise = Math.log([1, 2, 3, 0].reduce((sum, logit) => sum + Math.exp(logit), 0)) - 1;
    const next = (tolerance: number, options = {}): number =>
      new Sampler(options, request).next(logits, { id: 0, tolerance }).id;
    expect([next(surprise - 0.01), next(surprise + 0.01)]).toEqual([2, 0]);
    expect(next(100, { bannedIds: new Set([0]) })).toBe(2);
  });
});
