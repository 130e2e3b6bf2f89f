/** @file llama.cpp's architecture `bert`: the encoder without pooler and heads, as sentence-embedding models use it. */

import type { Architecture } from "./architecture.js";
import { expectValue, numberOf, optionalNumberOf } from "./config-values.js";
import { tokenIds, vocabSize } from "./decoder.js";

export const bert: Architecture = {
  name: "bert",
  modelTypes: ["bert"],
  prefix: "bert.",
  rules: [
    { gguf: "token_embd", hf: "embeddings.word_embeddings" },
    { gguf: "position_embd", hf: "embeddings.position_embeddings", isFloat32: true },
    { gguf: "token_types", hf: "embeddings.token_type_embeddings", isFloat32: true },
    { gguf: "token_embd_norm", hf: "embeddings.LayerNorm" },
    { gguf: "blk.{}.attn_q", hf: "encoder.layer.{}.attention.self.query" },
    { gguf: "blk.{}.attn_k", hf: "encoder.layer.{}.attention.self.key" },
    { gguf: "blk.{}.attn_v", hf: "encoder.layer.{}.attention.self.value" },
    { gguf: "blk.{}.attn_output", hf: "encoder.layer.{}.attention.output.dense" },
    { gguf: "blk.{}.attn_output_norm", hf: "encoder.layer.{}.attention.output.LayerNorm" },
    { gguf: "blk.{}.ffn_up", hf: "encoder.layer.{}.intermediate.dense" },
    { gguf: "blk.{}.ffn_down", hf: "encoder.layer.{}.output.dense" },
    { gguf: "blk.{}.layer_output_norm", hf: "encoder.layer.{}.output.LayerNorm" },
  ],
  omitted: /^(pooler\.dense\.(weight|bias)|embeddings\.position_ids|cls\..*)$/,
  toConfig: (keys, extra) => ({
    model_type: "bert",
    architectures: ["BertModel"],
    vocab_size: vocabSize(extra),
    type_vocab_size: extra.shapeOf("token_types.weight")?.[0] ?? 0,
    hidden_size: keys.number("embedding_length"),
    num_hidden_layers: keys.number("block_count"),
    num_attention_heads: keys.number("attention.head_count"),
    intermediate_size: keys.number("feed_forward_length"),
    max_position_embeddings: keys.number("context_length"),
    layer_norm_eps: keys.number("attention.layer_norm_epsilon"),
    hidden_act: "gelu",
    ...tokenIds(keys),
  }),
  fromConfig(config) {
    expectValue(config, "hidden_act", ["gelu"]);
    return {
      keys: {
        context_length: numberOf(config, "max_position_embeddings"),
        embedding_length: numberOf(config, "hidden_size"),
        block_count: numberOf(config, "num_hidden_layers"),
        feed_forward_length: numberOf(config, "intermediate_size"),
        "attention.head_count": numberOf(config, "num_attention_heads"),
        "attention.layer_norm_epsilon": optionalNumberOf(config, "layer_norm_eps") ?? 1e-12,
        "attention.causal": false,
      },
    };
  },
};
