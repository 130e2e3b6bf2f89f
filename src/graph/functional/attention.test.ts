import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { draw, runOnRuntime, worstDifference } from "../../../test/support/graph.js";
import { allocate } from "../../base/dtype.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { grad } from "../grad.js";
import { interpret } from "../interpret.js";
import { add, concat, equal, gather, matmul, reshape, slice, softmax, transpose, where } from "../ops/index.js";
import { constant, input, scalar, type Tensor } from "../tensor.js";
import { type CausalAttentionOptions, causalAttention } from "./attention.js";
import { cappedAttention } from "./capped-attention.js";

/** The same by definition: one score matrix per head, keys repeated, masked, no tiles. */
function naive(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale, segments, window, bias: scoreBias }: CausalAttentionOptions,
): Tensor {
  const [, heads, time] = q.shape as number[];
  const repeats = heads! / Number(k.shape[1]);
  const repeated = (x: Tensor): Tensor =>
    concat(
      Array.from({ length: heads! }, (_, h) => slice(x, 1, Math.floor(h / repeats), Math.floor(h / repeats) + 1)),
      1,
    );
  const mask = allocate("float32", time! * time!);
  for (let i = 0; i < time!; i++) {
    for (let j = 0; j < time!; j++) if (j > i || j <= i - (window ?? time!)) mask[i * time! + j] = -1e30;
  }
  const bias = constant({ dtype: "float32", shape: [time!, time!], data: mask });
  let scores = add(matmul(q, repeated(k), { transB: true, scale }), bias);
  if (scoreBias) scores = add(scores, scoreBias);
  if (segments) {
    const same = equal(
      reshape(segments, [Number(q.shape[0]), 1, time!, 1]),
      reshape(segments, [Number(q.shape[0]), 1, 1, time!]),
    );
    scores = where(same, scores, scalar(-1e30));
  }
  return matmul(softmax(scores), repeated(v));
}

const shapes = { B: 2, H: 4, T: 7, C: 3 };
const variants: [
  string,
  { groups: number; tile: number; window?: number; segments?: boolean; bias?: readonly number[] },
][] = [
  ["one tile", { groups: 4, tile: 7 }],
  ["tiles that divide unevenly", { groups: 4, tile: 3 }],
  ["grouped queries", { groups: 2, tile: 2 }],
  ["one key head", { groups: 1, tile: 4 }],
  ["a sliding window", { groups: 2, tile: 2, window: 3 }],
  ["a window shorter than a tile", { groups: 2, tile: 3, window: 1 }],
  ["packed segments", { groups: 2, tile: 3, segments: true }],
  ["a bias per score", { groups: 4, tile: 3, bias: [2, 4, 7, 7] }],
  ["a bias shared by the batch, and a window", { groups: 2, tile: 3, window: 3, bias: [1, 4, 7, 7] }],
  ["a bias per key", { groups: 2, tile: 2, bias: [1, 4, 1, 7] }],
  ["segments and a window", { groups: 4, tile: 2, window: 2, segments: true }],
];

describe("causalAttention", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 2 });
  });
  afterAll(() => runtime.close());

  it.each(variants.flatMap(([name, variant]) => [512, 3, 2].map((keyTile) => [name, keyTile, variant] as const)))(
    "equals plain attention, forward and backward: %s, keys in tiles of %i",
    async (_, keyTile, { groups, tile, window, segments, bias: biasShape }) => {
      const { B, H, T, C } = shapes;
      const q = input("q", "float32", [B, H, T, C]);
      const [k, v] = [input("k", "float32", [B, groups, T, C]), input("v", "float32", [B, groups, T, C])];
      const ids = input("segments", "int64", [B, T]);
      const ct = input("ct", "float32", [B, H, T, C]);
      const rng = new Rng(3);
      const feeds = new Map([q, k, v, ct].map((t) => [t, draw({ shape: t.shape }, rng)] as const));
      feeds.set(
        ids,
        draw({ shape: ids.shape, dtype: "int64", values: [0, 0, 0, 1, 1, 2, 2, 5, 5, 5, 5, 5, 6, 6] }, rng),
      );
      const bias = biasShape && input("bias", "float32", biasShape);
      if (bias) feeds.set(bias, draw({ shape: bias.shape }, rng));
      const options = {
        scale: 0.625, // the same in single and double precision
        tile,
        keyTile,
        ...(window && { window }),
        ...(segments && { segments: ids }),
        ...(bias && { bias }),
      };
      const [tiled, plain] = [causalAttention(q, k, v, options), naive(q, k, v, options)];
      const sources = bias ? [q, k, v, bias] : [q, k, v];
      const all = (y: Tensor): Tensor[] => [y, ...(grad([{ output: y, cotangent: ct }], sources) as Tensor[])];
      const expected = interpret(all(plain), feeds);
      const actual = interpret(all(tiled), feeds);
      const onRuntime = await runOnRuntime(runtime, all(tiled), feeds);
      for (const [i, value] of expected.entries()) {
        expect(worstDifference(actual[i]!.data, value.data)).toBeLessThan(1e-12);
        expect(worstDifference(onRuntime[i]!.data, value.data)).toBeLessThan(1e-5);
      }
    },
  );

  const places = [0, 3, 4, 6, 8, 9, 10, 13]; // of rows of 7
  it.each([
    ["one tile", { groups: 4, tile: 4 }],
    ["tiles, grouped queries and segments", { groups: 2, tile: 3, keyTile: 2, segments: true }],
    ["segments and a window", { groups: 1, tile: 2, keyTile: 3, window: 2, segments: true }],
  ] as const)("of queries at some places has these rows of the attention of all: %s", async (_, variant) => {
    const { B, H, T, C } = shapes;
    const { groups, tile, keyTile, ...others } = { window: undefined, segments: false, keyTile: 7, ...variant };
    const q = input("q", "float32", [B, H, T, C]);
    const [k, v] = [input("k", "float32", [B, groups, T, C]), input("v", "float32", [B, groups, T, C])];
    const [ids, at] = [input("segments", "int64", [B, T]), input("places", "int64", [B, 4])];
    const ct = input("ct", "float32", [B, H, 4, C]);
    const rng = new Rng(3);
    const feeds = new Map([q, k, v, ct].map((t) => [t, draw({ shape: t.shape }, rng)] as const));
    const int64 = (x: Tensor, values: readonly number[]) => draw({ shape: x.shape, dtype: "int64", values }, rng);
    feeds.set(ids, int64(ids, [0, 0, 0, 1, 1, 2, 2, 5, 5, 5, 5, 5, 6, 6]));
    feeds.set(at, int64(at, places));
    const placed = (x: Tensor): Tensor => {
      const rows = reshape(transpose(x, [0, 2, 1, 3]), [B * T, H * C]);
      return transpose(reshape(gather(rows, at), [B, 4, H, C]), [0, 2, 1, 3]);
    };
    const { window, segments } = others;
    const options = { scale: 0.625, tile, keyTile, ...(window && { window }), ...(segments && { segments: ids }) };
    const capped = { ...options, softcap: 2 };
    for (const [all, some] of [
      [naive(q, k, v, options), causalAttention(placed(q), k, v, { ...options, places: at })],
      [cappedAttention(q, k, v, capped), cappedAttention(placed(q), k, v, { ...capped, places: at })],
    ] as const) {
      const withGradients = (y: Tensor): Tensor[] => [
        y,
        ...(grad([{ output: y, cotangent: ct }], [q, k, v]) as Tensor[]),
      ];
      const expected = interpret(withGradients(placed(all)), feeds);
      const actual = interpret(withGradients(some), feeds);
      const onRuntime = await runOnRuntime(runtime, withGradients(some), feeds);
      for (const [i, value] of expected.entries()) {
        expect(worstDifference(actual[i]!.data, value.data)).toBeLessThan(1e-12);
        expect(worstDifference(onRuntime[i]!.data, value.data)).toBeLessThan(1e-5);
      }
    }
  });

  it("names what does not fit", () => {
    const q = input("q", "float32", [1, 3, 4, 2]);
    const k = input("k", "float32", [1, 2, 4, 2]);
    expect(() => causalAttention(q, k, k, { scale: 1, tile: 2 })).toThrow("q [1,3,4,2]");
    const named = input("q", "float32", [1, 2, "T", 2]);
    expect(() => causalAttention(named, named, named, { scale: 1, tile: 2 })).toThrow("known sizes");
    const places = input("places", "int64", [1, 2]);
    expect(() => causalAttention(k, k, k, { scale: 1, tile: 2, places })).toThrow("at places [1,2]");
  });
});
