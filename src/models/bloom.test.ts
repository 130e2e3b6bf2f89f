import { describe, expect, it } from "vitest";
import { modelFromConfig } from "./index.js";

const sizes = { model_type: "bloom", vocab_size: 20, n_embed: 16, n_layer: 2, num_attention_heads: 4 };

describe("bloom's config", () => {
  it("is read under the authors' names and under those of transformers, and written back as it was", () => {
    const authors = modelFromConfig(sizes);
    const { n_embed, n_layer, num_attention_heads, ...rest } = sizes;
    const transformers = { ...rest, hidden_size: n_embed, num_hidden_layers: n_layer, n_head: num_attention_heads };
    const again = modelFromConfig(transformers);
    expect([authors.hiddenSize, authors.layers.length, authors.caches]).toEqual([
      again.hiddenSize,
      again.layers.length,
      again.caches,
    ]);
    expect(authors.config).toMatchObject(sizes);
    expect(again.config).toMatchObject(transformers);
  });

  it("caches a position beside each key", () => {
    expect(modelFromConfig(sizes).caches).toEqual([
      undefined,
      { numKvHeads: 4, headDim: 5 },
      { numKvHeads: 4, headDim: 5 },
    ]);
  });

  it("says what is missing, contradicts itself or is not supported", () => {
    const { n_layer, ...without } = sizes;
    expect(() => modelFromConfig(without)).toThrow("expected one size as n_layer or num_hidden_layers, got undefined");
    expect(() => modelFromConfig({ ...sizes, hidden_size: 32 })).toThrow("as hidden_size or n_embed, got 32 and 16");
    expect(() => modelFromConfig({ ...sizes, apply_residual_connection_post_layernorm: true })).toThrow(
      "apply_residual_connection_post_layernorm is not supported",
    );
  });
});
