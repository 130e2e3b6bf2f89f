import { describe, expect, it } from "vitest";
import { zeros } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import {
  add,
  type Graph,
  graph,
  interpret,
  matmul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
} from "../../graph/index.js";
import { workspaceBytes } from "../../plan/workspace.js";
import { Runtime } from "../../runtime/index.js";
import type { LayerContext } from "../model.js";
import { scopeOf } from "../scope.js";
import { gatedMlp } from "./mlp.js";
import { type MoeOptions, mixtureOfExperts } from "./moe.js";

const sizes = {
  hiddenSize: 8,
  intermediateSize: 12,
  activation: "silu",
  bias: false,
  std: 0.4,
  outputStd: 0.4,
} as const;

const options = (numSelected: number): MoeOptions => ({
  ...sizes,
  numExperts: 4,
  numSelected,
  normalize: true,
  router: "gate.weight",
  expert: (i) => ({ gate: `experts.${i}.w1`, up: `experts.${i}.w3`, down: `experts.${i}.w2` }),
});

const context: LayerContext = {
  get positions(): Tensor {
    throw new Error("experts read no positions");
  },
  tables: {},
  attend: () => {
    throw new Error("experts do not attend");
  },
  dropout: (x) => x,
};

/** The mixture of `build` over x [2, 3, 8] and the mixture's own parameters. */
function mixtureGraph(build: (x: Tensor, inputs: Readonly<Record<string, Tensor>>) => Tensor): Graph {
  const parameters = mixtureOfExperts(options(4)).parameters;
  const float = (shape: readonly number[]) => ({ dtype: "float32" as const, shape });
  const inputs = Object.fromEntries(parameters.map(({ name, shape }) => [name, float(shape)]));
  return graph("mixture", { x: float([2, 3, 8]), ...inputs }, (tensors) => ({ y: build(tensors.x!, tensors) }));
}

function random({ inputs }: Graph, seed: number) {
  const rng = new Rng(seed);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => {
      const tensor = zeros("float32", shape as readonly number[]);
      for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = 0.4 * rng.normal();
      return [name, tensor];
    }),
  );
}

const sparse = (numSelected: number): Graph =>
  mixtureGraph((x, inputs) => mixtureOfExperts(options(numSelected)).forward(scopeOf(inputs), x, context));

describe("a mixture of experts", () => {
  it("with all experts selected is the dense mixture", async () => {
    const dense = mixtureGraph((x, inputs) => {
      const rows = reshape(x, [6, 8]);
      const weights = softmax(matmul(rows, inputs["gate.weight"]!, { transB: true }));
      const parts = [0, 1, 2, 3].map((i) => {
        const expert = gatedMlp(sizes, options(4).expert(i)).forward(scopeOf(inputs), rows, context);
        return mul(expert, slice(weights, 1, i, i + 1));
      });
      return reshape(
        parts.reduce((a, b) => add(a, b)),
        [2, 3, 8],
      );
    });
    await using runtime = await Runtime.open({ numThreads: 1 });
    const feeds = random(dense, 1);
    const [expected, actual] = await Promise.all(
      [dense, sparse(4)].map(async (g) => (await runtime.compile(g)).run(feeds)),
    );
    for (const [i, value] of (actual!.y!.data as Float32Array).entries())
      expect(value).toBeCloseTo(Number(expected!.y!.data[i]), 5);
  });

  it("leaves out experts that no token is sent to", async () => {
    await using runtime = await Runtime.open({ numThreads: 1 });
    const top1 = sparse(1);
    const feeds = random(top1, 2);
    // all tokens alike, so one expert has them all
    for (let i = 0; i < 48; i++) feeds.x!.data[i] = (i % 8) / 8;
    const { y } = await (await runtime.compile(top1)).run(feeds);
    const rows = Array.from({ length: 6 }, (_, i) => (y!.data as Float32Array).slice(8 * i, 8 * i + 8));
    for (const row of rows) expect(row).toEqual(rows[0]);
    expect(rows[0]!.some((v) => v !== 0)).toBe(true);
    // the reference in float64 says the same
    const values = new Map(
      Object.entries(top1.inputs).map(([name, tensor]) => [
        tensor,
        {
          dtype: "float32" as const,
          shape: feeds[name]!.shape,
          data: Float64Array.from(feeds[name]!.data as Float32Array),
        },
      ]),
    );
    const [exact] = interpret([top1.outputs.y!], values);
    for (const [i, value] of (y!.data as Float32Array).entries()) expect(value).toBeCloseTo(exact!.data[i]!, 5);
  });

  it("has a workspace that is known before: every expert at its largest", () => {
    expect(workspaceBytes(sparse(2))).toBeGreaterThan(6 * 12 * 4);
    expect(workspaceBytes(sparse(2))).toBeLessThan(100 * 6 * 12 * 4);
  });
});
