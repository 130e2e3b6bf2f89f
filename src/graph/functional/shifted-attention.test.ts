import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { interpret } from "../interpret.js";
import { reference } from "../reference.js";
import { input } from "../tensor.js";
import { shiftedAttention } from "./shifted-attention.js";

const rng = new Rng(3);
const draw = (shape: readonly number[]): Float64Array =>
  Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal());

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly groups: number;
  readonly time: number;
}
const dim = 2;

/** Softmax over the keys that `sees` allows, head by head. */
function plain(
  { batch, heads, groups, time }: Sizes,
  [q, k, v]: readonly Float64Array[],
  sees: (row: number, head: number, query: number, key: number) => boolean,
): number[] {
  const out: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * groups) / heads);
      const at = (x: Float64Array, count: number, head: number, t: number, c: number): number =>
        x[((b * count + head) * time + t) * dim + c]!;
      for (let t = 0; t < time; t++) {
        const weights = Array.from({ length: time }, (_, s) => {
          let score = 0;
          for (let c = 0; c < dim; c++) score += at(q!, heads, h, t, c) * at(k!, groups, g, s, c);
          return sees(b, h, t, s) ? Math.exp(score) : 0;
        });
        const sum = weights.reduce((a, w) => a + w, 0);
        for (let c = 0; c < dim; c++) out.push(weights.reduce((a, w, s) => a + (w / sum) * at(v!, groups, g, s, c), 0));
      }
    }
  }
  return out;
}

describe("shiftedAttention", () => {
  it.each([
    [{ batch: 2, heads: 4, groups: 2, time: 12 }, 2],
    [{ batch: 1, heads: 3, groups: 3, time: 8 }, 2],
    [{ batch: 1, heads: 4, groups: 1, time: 8 }, 2],
  ])("attends within groups, shifted by half for the second half of the heads: %j", (sizes, plainHeads) => {
    const { batch, heads, groups, time } = sizes;
    const shapes = [heads, groups, groups].map((count) => [batch, count, time, dim]);
    const values = shapes.map(draw);
    const segments = Float64Array.from({ length: batch * time }, (_, i) => Number(i % time >= 7));
    const tensors = shapes.map((shape, i) => input(`x${i}`, "float32", shape));
    const ofSegments = input("segments", "int64", [batch, time]);
    const group = 4;
    const out = shiftedAttention(tensors[0]!, tensors[1]!, tensors[2]!, {
      scale: 1,
      tile: 3,
      group,
      segments: ofSegments,
    });
    const feeds = new Map([
      ...tensors.map((tensor, i) => [tensor, reference("float32", shapes[i]!, values[i]!)] as const),
      [ofSegments, reference("int64", [batch, time], segments)] as const,
    ]);
    const [result] = interpret([out], feeds);
    const groupOf = (head: number, t: number): number =>
      head < plainHeads ? Math.floor(t / group) : Math.floor((t + group / 2) / group);
    const expected = plain(
      sizes,
      values,
      (b, h, t, s) => s <= t && groupOf(h, t) === groupOf(h, s) && segments[b * time + t] === segments[b * time + s],
    );
    for (const [i, value] of expected.entries()) expect(result!.data[i]).toBeCloseTo(value, 10);
  });

  it("refuses groups that do not divide the sequence into whole halves", () => {
    const x = input("x", "float32", [1, 2, 10, 2]);
    expect(() => shiftedAttention(x, x, x, { scale: 1, tile: 4, group: 5 })).toThrow("whole groups with whole halves");
    expect(() => shiftedAttention(x, x, x, { scale: 1, tile: 4, group: 4 })).toThrow("do not cut 10 tokens");
  });
});
