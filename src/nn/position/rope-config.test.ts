import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type RopeKeys, ropeFromConfig, ropeScalings } from "./rope-config.js";
import { ropeTables } from "./rope-tables.js";

interface GoldenRope {
  readonly config: Partial<RopeKeys> & { readonly max_position_embeddings: number };
  readonly headDim: number;
  readonly length: number;
  readonly frequencies: readonly number[];
  readonly attentionFactor: number;
}

const golden = JSON.parse(readFileSync(new URL("../../../test/golden/rope.json", import.meta.url), "utf8")) as {
  cases: Record<string, GoldenRope>;
};

const build = (config: Partial<RopeKeys>, headDim = 8, maxPositions = 64) =>
  ropeFromConfig(config, { headDim, maxPositions });

describe("rotary embedding from a config", () => {
  it.each(Object.entries(golden.cases))("%s: frequencies and factor are those of transformers", (_, reference) => {
    const { config, headDim, length, frequencies, attentionFactor } = reference;
    const rope = ropeFromConfig(config, { headDim, maxPositions: config.max_position_embeddings });
    expect(rope.rotaryDim).toBe(2 * frequencies.length);
    const { cos, sin } = rope.tables(length);
    const half = frequencies.length;
    // float32 powers differ in their last bits from ours: at position 50 by less than 50 · 1e-6
    for (const position of [0, 1, 50]) {
      for (const [i, frequency] of frequencies.entries()) {
        expect(cos.data[position * half + i]).toBeCloseTo(attentionFactor * Math.cos(position * frequency), 4);
        expect(sin.data[position * half + i]).toBeCloseTo(attentionFactor * Math.sin(position * frequency), 4);
      }
    }
  });

  it("reads the old spelling and the new one alike", () => {
    const old = build({ rope_theta: 5000, rope_scaling: { type: "linear", factor: 2 } });
    const fresh = build({ rope_parameters: { rope_type: "linear", factor: 2, rope_theta: 5000 } });
    expect(old.tables(9)).toEqual(fresh.tables(9));
    const partial = build({ partial_rotary_factor: 0.5 });
    expect(partial.tables(9)).toEqual(build({ rope_parameters: { partial_rotary_factor: 0.5 } }).tables(9));
    expect(partial.rotaryDim).toBe(4);
    expect(build({}).tables(9)).toEqual(ropeTables(9, 8, 10_000));
    const factors = { short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2] };
    expect(build({ rope_scaling: { type: "su", ...factors } }).tables(9)).toEqual(
      build({ rope_parameters: { rope_type: "longrope", ...factors } }).tables(9),
    );
  });

  it("gives scores that depend on the distance alone, under every scaling", () => {
    const factors = { short_factor: [1, 2, 3, 4], long_factor: [2, 3, 4, 5] };
    const options = { factor: 4, low_freq_factor: 1, high_freq_factor: 4, ...factors };
    for (const rope_type of Object.keys(ropeScalings)) {
      const rope = build({ rope_parameters: { rope_type, ...options, original_max_position_embeddings: 16 } });
      const { cos, sin } = rope.tables(64);
      const turned = (x: number[], position: number): number[] => {
        const at = (i: number): readonly [number, number] => [
          Number(cos.data[position * 4 + i]),
          Number(sin.data[position * 4 + i]),
        ];
        return x.map((v, j) => {
          const [c, s] = at(j % 4);
          return j < 4 ? v * c - x[j + 4]! * s : v * c + x[j - 4]! * s;
        });
      };
      const [q, k] = [
        [0.3, -1, 0.5, 2, 1, 0.1, -0.7, 0.4],
        [1, 0.2, -0.6, 0.9, -1.1, 0.8, 0.3, -0.2],
      ] as const;
      const score = (i: number, j: number): number => {
        const [a, b] = [turned([...q], i), turned([...k], j)];
        return a.reduce((sum, v, n) => sum + v * b[n]!, 0);
      };
      for (const shift of [1, 20, 50]) expect(score(13 + shift, 5 + shift), rope_type).toBeCloseTo(score(13, 5), 4);
    }
  });

  it("says what is wrong with a config", () => {
    expect(() => build({ rope_scaling: { rope_type: "spiral" } })).toThrow(/"spiral" is not supported.*llama3/);
    expect(() => build({ rope_scaling: { rope_type: "linear" } })).toThrow(/factor/);
    expect(() => build({ partial_rotary_factor: 0.4 })).toThrow(/must be even/);
    const short = { rope_type: "longrope", short_factor: [1], long_factor: [1] };
    expect(() => build({ rope_scaling: short }).tables(1)).toThrow(/expected 4 short and long factors/);
  });
});
