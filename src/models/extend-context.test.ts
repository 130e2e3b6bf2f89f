import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { extendContext, llama, modelFromConfig } from "./index.js";

const sizes = {
  vocab_size: 11,
  hidden_size: 32,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 32,
};
const plain = llama(sizes);

const golden = (name: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(new URL(`../../test/golden/families/${name}/config.json`, import.meta.url), "utf8"));

describe("a longer context", () => {
  it("is YaRN's unless said otherwise, in the keys that transformers reads", () => {
    const keys = extendContext(plain, { length: 128 });
    expect(keys).toEqual({
      max_position_embeddings: 128,
      rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32 },
    });
    const longer = modelFromConfig({ ...plain.config, ...keys });
    expect(longer.maxPositions).toBe(128);
    // written by transformers, whose tables the family's golden test compares
    const { rope_parameters } = golden("llama_yarn");
    const theirs = { ...plain.config, max_position_embeddings: 128, rope_parameters };
    expect(longer.tables(128)).toEqual(modelFromConfig(theirs).tables(128));
  });

  it.each([
    ["linear", {}, { rope_type: "linear", factor: 4 }],
    [
      "llama3",
      { high_freq_factor: 8 },
      { rope_type: "llama3", factor: 4, low_freq_factor: 1, high_freq_factor: 8, original_max_position_embeddings: 32 },
    ],
    [
      "longrope",
      { short_factor: [1, 1, 1, 1], long_factor: [1, 2, 3, 4] },
      {
        rope_type: "longrope",
        factor: 4,
        original_max_position_embeddings: 32,
        short_factor: [1, 1, 1, 1],
        long_factor: [1, 2, 3, 4],
      },
    ],
  ] as const)("by %s", (scaling, options, rope_scaling) => {
    const keys = extendContext(plain, { length: 128, scaling, options });
    expect(keys).toEqual({ max_position_embeddings: 128, rope_scaling });
    const longer = modelFromConfig({ ...plain.config, ...keys });
    expect(longer.tables(128)).not.toEqual(plain.tables(128));
  });

  it("by another base, under the name that the family has for it", () => {
    const base = { length: 128, scaling: "base", options: { rope_theta: 80_000 } } as const;
    expect(extendContext(plain, base)).toEqual({ max_position_embeddings: 128, rope_theta: 80_000 });
    const { rope_parameters: _, ...old } = golden("gpt_neox");
    const neox = modelFromConfig(old);
    const keys = extendContext(neox, { ...base, length: 2 * neox.maxPositions });
    expect(keys).toMatchObject({ rotary_emb_base: 80_000 });
    expect(modelFromConfig({ ...neox.config, ...keys }).tables(9)).not.toEqual(neox.tables(9));
  });

  it("goes on from the scaling that a model has, where its config keeps it", () => {
    const yarn = modelFromConfig(golden("llama_yarn"));
    expect(extendContext(yarn, { length: 512 })).toEqual({
      max_position_embeddings: 512,
      rope_parameters: { rope_type: "yarn", rope_theta: 10_000, factor: 16, original_max_position_embeddings: 32 },
    });
    const gemma = modelFromConfig(golden("gemma3_text"));
    expect(extendContext(gemma, { length: 256 })).toEqual({
      max_position_embeddings: 256,
      rope_parameters: {
        full_attention: { rope_type: "linear", rope_theta: 1_000_000, factor: 16 },
        sliding_attention: { rope_type: "default", rope_theta: 10_000 },
      },
    });
    expect(() => extendContext(yarn, { length: 512, scaling: "linear" })).toThrow("scaled by yarn already");
  });

  it("is refused by name where positions cannot be scaled", () => {
    const of = (name: string) => modelFromConfig(golden(name));
    expect(() => extendContext(of("gpt2"), { length: 4096 })).toThrow(/gpt2 model: it has learned \d+ positions/);
    expect(() => extendContext(of("bloom"), { length: 4096 })).toThrow(/bloom model: .*ALiBi/);
    expect(() => extendContext(of("llama_dynamic"), { length: 4096 })).toThrow('rope_type "dynamic"');
    expect(() => extendContext(plain, { length: 32 })).toThrow("32 positions already");
    expect(() => extendContext(plain, { length: 64, scaling: "longrope" })).toThrow("needs short_factor");
    expect(() => extendContext(plain, { length: 64, scaling: "base" })).toThrow("needs rope_theta");
    const odd = { rope_theta: 5, factor: 2 };
    expect(() => extendContext(plain, { length: 64, scaling: "base", options: odd })).toThrow("no option factor");
  });
});
