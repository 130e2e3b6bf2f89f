import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parameterSpecs } from "../nn/index.js";
import { defineFamily, llama, modelFromConfig } from "./index.js";

const sizes = {
  vocab_size: 11,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 4,
  num_attention_heads: 4,
};

const kindsOf = (config: Readonly<Record<string, unknown>>): string[] =>
  modelFromConfig({ ...sizes, ...config }).layers.map(({ kind }) => kind);

describe("families", () => {
  it("read which layers see a window, from lists and from rules", () => {
    const qwen = { model_type: "qwen2", use_sliding_window: true, sliding_window: 4 };
    expect(kindsOf({ ...qwen, max_window_layers: 3 })).toEqual(["full", "full", "full", "sliding"]);
    expect(kindsOf({ ...qwen, use_sliding_window: false })).toEqual(["full", "full", "full", "full"]);
    const listed = ["sliding_attention", "full_attention", "full_attention", "sliding_attention"];
    expect(kindsOf({ ...qwen, layer_types: listed })).toEqual(["sliding", "full", "full", "sliding"]);
    const gemma = { model_type: "gemma3_text", sliding_window: 4 };
    expect(kindsOf({ ...gemma, sliding_window_pattern: 2 })).toEqual(["stem", "sliding", "full", "sliding", "full"]);
    expect(kindsOf({ model_type: "gemma2" })).toEqual(["stem", "sliding", "full", "sliding", "full"]);
    expect(kindsOf({ model_type: "smollm3", num_key_value_heads: 2 })[3]).toBe("full without rotation");
  });

  it("leave no cache for a stem, and the window in the cache's spec", () => {
    const model = modelFromConfig({ ...sizes, model_type: "gemma2", head_dim: 8, sliding_window: 5 });
    expect(model.caches).toEqual([
      undefined,
      { numKvHeads: 4, headDim: 8, window: 5 },
      { numKvHeads: 4, headDim: 8 },
      { numKvHeads: 4, headDim: 8, window: 5 },
      { numKvHeads: 4, headDim: 8 },
    ]);
  });

  it("mark what is stored [in, out], and what is no linear map", () => {
    const model = modelFromConfig({ model_type: "gpt2", vocab_size: 11, n_embd: 8, n_layer: 1, n_head: 2 });
    const marked = parameterSpecs(model).filter(({ matrix }) => matrix);
    expect(marked.map(({ name, matrix }) => `${name} ${matrix}`)).toEqual([
      "transformer.wpe.weight plain",
      "transformer.h.0.attn.c_attn.weight transposed",
      "transformer.h.0.attn.c_proj.weight transposed",
      "transformer.h.0.mlp.c_fc.weight transposed",
      "transformer.h.0.mlp.c_proj.weight transposed",
    ]);
  });

  it("name the key that is wrong", () => {
    expect(() => llama({ ...sizes, hidden_size: 17 })).toThrow(/17 hidden, 4 heads/);
    const from = (config: object) => () => modelFromConfig({ ...sizes, ...config });
    expect(from({ model_type: "mistral", hidden_size: "x" })).toThrow(/mistral config:[\s\S]*hidden_size/);
    expect(from({ model_type: "llama", hidden_act: "mish" })).toThrow(/hidden_act/);
    expect(from({ model_type: "qwen2", use_sliding_window: true, max_window_layers: 0 })).not.toThrow("undefined");
    expect(from({ model_type: "qwen3", layer_types: ["full_attention"] })).toThrow(/names 1 layers/);
    expect(from({ model_type: "smollm3", num_key_value_heads: 2, no_rope_layers: [1] })).toThrow(/names 1 layers/);
    expect(from({ model_type: "mixtral", num_key_value_heads: 2, num_experts_per_tok: 9 })).toThrow(
      /9 experts a token/,
    );
    expect(from({ model_type: "mixtral", router_jitter_noise: 0.1 })).toThrow(/router_jitter_noise/);
    expect(from({ model_type: "gemma2", use_bidirectional_attention: true })).toThrow(/bidirectional/);
  });
});

describe("families of one's own", () => {
  const schema = z.looseObject({ width: z.int() });
  const mine = defineFamily("mine", schema, ({ width }) => ({
    ...llama({ ...sizes, hidden_size: width }),
    family: "mine",
  }));

  it("are found by model_type and checked by their schema", () => {
    const config = { model_type: "mine", width: 8 };
    expect(modelFromConfig(config, { mine }).hiddenSize).toBe(8);
    expect(() => modelFromConfig({ ...config, width: "8" }, { mine })).toThrow(/mine config:[\s\S]*width/);
    expect(() => modelFromConfig(config)).toThrow(/"mine" is not supported.*defineFamily/);
  });

  it("cannot take a name that is there, nor build another family's model", () => {
    expect(() => modelFromConfig({ model_type: "llama" }, { llama: mine })).toThrow(/"llama" is there already/);
    const other = defineFamily("other", schema, ({ width }) => llama({ ...sizes, hidden_size: width }));
    expect(() => other({ width: 8 })).toThrow(/"other" built a model that calls its family "llama"/);
  });
});
