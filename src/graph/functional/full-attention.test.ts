import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { draw, runOnRuntime, worstDifference } from "../../../test/support/graph.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { differentiate } from "../differentiate.js";
import { grad } from "../grad.js";
import { interpret } from "../interpret.js";
import { add, concat, dropout, matmul, reshape, slice, softmax, where } from "../ops/index.js";
import { type Aval, graph, input, scalar, type Tensor } from "../tensor.js";
import { type FullAttentionOptions, fullAttention } from "./full-attention.js";

/** The same by definition: keys repeated, one score matrix per head. */
function naive(q: Tensor, k: Tensor, v: Tensor, { scale, mask, bias, dropout: drop }: FullAttentionOptions): Tensor {
  const repeats = Number(q.shape[1]) / Number(k.shape[1]);
  const repeated = (x: Tensor): Tensor =>
    concat(
      Array.from({ length: Number(q.shape[1]) }, (_, h) =>
        slice(x, 1, Math.floor(h / repeats), Math.floor(h / repeats) + 1),
      ),
      1,
    );
  let scores = matmul(q, repeated(k), { transB: true, scale });
  if (bias) scores = add(scores, bias);
  if (mask) scores = where(reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!]), scores, scalar(-1e30));
  const probabilities = softmax(scores);
  return matmul(drop ? drop(probabilities, 0) : probabilities, repeated(v));
}

interface Variant {
  readonly groups?: number;
  readonly keys?: number;
  readonly tile?: number;
  readonly mask?: readonly number[];
  readonly bias?: readonly number[];
  readonly isDropped?: boolean;
}

const [B, H, T, C] = [2, 4, 5, 3];
const padded = [0, 1, 1, 1, 0, 1, 1, 0, 0, 0];
const variants: [string, Variant][] = [
  ["whole", {}],
  ["tiles that divide unevenly", { tile: 2 }],
  ["padding on both sides", { tile: 2, mask: padded }],
  ["keys of another sequence", { keys: 7, tile: 3 }],
  ["grouped queries", { groups: 2, tile: 3, mask: padded }],
  ["a bias per score", { tile: 2, bias: [2, 4, 5, 5], mask: padded }],
  ["a bias shared by the batch", { groups: 2, tile: 2, bias: [1, 4, 5, 5] }],
  ["a bias per key", { groups: 1, tile: 2, bias: [1, 4, 1, 5] }],
  ["a bias per key, whole", { bias: [2, 4, 1, 5] }],
  ["dropped probabilities", { groups: 2, bias: [1, 4, 5, 5], isDropped: true }],
];

describe("fullAttention", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 2 });
  });
  afterAll(() => runtime.close());

  it.each(variants)("equals plain attention, forward and backward: %s", async (_, variant) => {
    const { groups = H, keys = T, tile, mask: maskValues, bias: biasShape, isDropped = false } = variant;
    const rng = new Rng(5);
    const feeds = new Map<Tensor, ReturnType<typeof draw>>();
    const fed = (name: string, shape: readonly number[]): Tensor => {
      const tensor = input(name, "float32", shape);
      feeds.set(tensor, draw({ shape }, rng));
      return tensor;
    };
    const q = fed("q", [B, H, T, C]);
    const [k, v] = [fed("k", [B, groups, keys, C]), fed("v", [B, groups, keys, C])];
    const ct = fed("ct", [B, H, T, C]);
    const bias = biasShape && fed("bias", biasShape);
    const mask = input("mask", "bool", [B, keys]);
    if (maskValues) feeds.set(mask, draw({ shape: [B, keys], dtype: "bool", values: maskValues }, rng));
    const seed = scalar(3, "int32");
    const drop = (p: Tensor): Tensor =>
      reshape(dropout(reshape(p, [B, H, T, keys]), seed, { rate: 0.4, salt: 1 }), p.shape);
    const options = {
      scale: 0.6,
      ...(tile && { tile }),
      ...(maskValues && { mask }),
      ...(bias && { bias }),
      ...(isDropped && { dropout: drop }),
    };
    const sources = bias ? [q, k, v, bias] : [q, k, v];
    const all = (y: Tensor): Tensor[] => [y, ...(grad([{ output: y, cotangent: ct }], sources) as Tensor[])];
    const expected = interpret(all(naive(q, k, v, options)), feeds);
    const tiled = all(fullAttention(q, k, v, options));
    const actual = interpret(tiled, feeds);
    const onRuntime = await runOnRuntime(runtime, tiled, feeds);
    for (const [i, value] of expected.entries()) {
      expect(worstDifference(actual[i]!.data, value.data)).toBeLessThan(1e-12);
      expect(worstDifference(onRuntime[i]!.data, value.data)).toBeLessThan(1e-5);
    }
  });

  it("keeps no score for the backward pass, whatever is saved", () => {
    const tall: Aval = { dtype: "float32", shape: [1, 2, 64, 4] };
    const bias: Aval = { dtype: "float32", shape: [1, 2, 64, 64] };
    const source = graph("attention", { q: tall, k: tall, v: tall, bias }, (inputs) => ({
      y: fullAttention(inputs.q, inputs.k, inputs.v, { scale: 0.5, tile: 16, bias: inputs.bias }),
    }));
    for (const save of ["all", "selective", "inputs"] as const) {
      const { residuals, backward } = differentiate(source, { wrt: ["q", "k", "v", "bias"], save });
      expect(Object.values(residuals).filter(({ shape }) => shape.at(-1) === 64)).toEqual([]);
      expect(Object.keys(backward.outputs)).toEqual(["d_q", "d_k", "d_v", "d_bias"]);
    }
  });

  it("takes sizes that are not known where there is one tile", async () => {
    const make = (b: number | string, t: number | string, s: number | string): Tensor[] => [
      input("q", "float32", [b, 4, t, C]),
      input("k", "float32", [b, 2, s, C]),
      input("v", "float32", [b, 2, s, C]),
      input("mask", "bool", [b, s]),
      input("bias", "float32", [1, 4, 1, s]),
    ];
    const rng = new Rng(1);
    const known = make(B, T, 7);
    const values = known.map(({ shape, dtype }) =>
      draw({ shape, dtype, ...(dtype === "bool" && { values: { below: 2 } }) }, rng),
    );
    const [expected] = interpret(
      [naive(known[0]!, known[1]!, known[2]!, { scale: 0.6, mask: known[3]!, bias: known[4]! })],
      new Map(known.map((tensor, i) => [tensor, values[i]!])),
    );
    const named = make("B", "T", "S");
    const out = fullAttention(named[0]!, named[1]!, named[2]!, { scale: 0.6, mask: named[3]!, bias: named[4]! });
    const [actual] = await runOnRuntime(runtime, [out], new Map(named.map((tensor, i) => [tensor, values[i]!])));
    expect(worstDifference(actual!.data, expected!.data)).toBeLessThan(1e-5);
  });

  it("names what does not fit", () => {
    const q = input("q", "float32", [1, 4, 5, 2]);
    const k = input("k", "float32", [1, 3, 5, 2]);
    expect(() => fullAttention(q, k, k, { scale: 1 })).toThrow("k [1,3,5,2]");
    expect(() => fullAttention(q, q, q, { scale: 1, mask: input("m", "bool", [1, 4]) })).toThrow("bool[1,5]");
    expect(() => fullAttention(q, q, q, { scale: 1, bias: input("b", "float32", [1, 2, 5, 5]) })).toThrow(
      "expected a bias",
    );
    const named = input("q", "float32", [1, 4, "T", 2]);
    expect(() => fullAttention(named, named, named, { scale: 1, tile: 2 })).toThrow("known number");
  });
});
