/** @file Minimum cuts against all cuts of small graphs. */
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { type CutProblem, minimumCut } from "./min-cut.js";

const sum = (costs: readonly number[], nodes: readonly number[]) =>
  nodes.reduce((total, node) => total + costs[node]!, 0);

function separates({ edges, sources, sinks }: CutProblem, cut: readonly number[]): boolean {
  const open = new Set(sources.filter((node) => !cut.includes(node)));
  for (const node of open) {
    for (const [from, to] of edges) if (from === node && !cut.includes(to)) open.add(to);
  }
  return sinks.every((sink) => !open.has(sink));
}

function cheapest(problem: CutProblem): number {
  const { costs } = problem;
  const subsets = Array.from({ length: 2 ** costs.length }, (_, bits) =>
    [...costs.keys()].filter((i) => bits & (1 << i)),
  );
  return Math.min(...subsets.filter((cut) => separates(problem, cut)).map((cut) => sum(costs, cut)));
}

describe("minimumCut", () => {
  it("takes the sum of two addends instead of both", () => {
    const problem = {
      costs: [5, 5, 5, 5],
      edges: [
        [0, 2],
        [1, 2],
        [2, 3],
      ],
      sources: [0, 1],
      sinks: [3],
    } as const;
    expect(minimumCut(problem)).toEqual([3]);
  });

  it("takes a narrow source instead of what is made of it", () => {
    expect(
      minimumCut({
        costs: [1, 4, 4],
        edges: [
          [0, 1],
          [0, 2],
        ],
        sources: [0],
        sinks: [1, 2],
      }),
    ).toEqual([0]);
  });

  it("is as cheap as the cheapest of all cuts", () => {
    const rng = new Rng(3);
    for (let round = 0; round < 200; round++) {
      const costs = Array.from({ length: 8 }, () => 1 + rng.below(9));
      const edges = costs.flatMap((_, to) =>
        Array.from({ length: to }, (_, from) => [from, to] as const).filter(() => rng.below(3) === 0),
      );
      const problem = { costs, edges, sources: [0, 1, 2], sinks: [5, 6, 7] };
      const cut = minimumCut(problem);
      expect(separates(problem, cut)).toBe(true);
      expect(sum(costs, cut)).toBe(cheapest(problem));
    }
  });
});
