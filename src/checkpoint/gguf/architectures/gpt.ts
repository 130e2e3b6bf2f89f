/** @file llama.cpp's architectures `gpt2` and `gptneox` (Pythia). */

import { UnsupportedError } from "../../../base/errors.js";
import type { Architecture } from "./architecture.js";
import { fusedByPart, transposedMatrix } from "./changes.js";
import { expectValue, numberOf, optionalNumberOf, ropeOf } from "./config-values.js";
import { tokenIds, vocabSize } from "./decoder.js";

export const gpt2: Architecture = {
  name: "gpt2",
  modelTypes: ["gpt2"],
  prefix: "transformer.",
  rules: [
    { gguf: "token_embd", hf: "transformer.wte" },
    { gguf: "position_embd", hf: "transformer.wpe", isFloat32: true },
    { gguf: "output_norm", hf: "transformer.ln_f" },
    { gguf: "output", hf: "lm_head" },
    { gguf: "blk.{}.attn_norm", hf: "transformer.h.{}.ln_1" },
    { gguf: "blk.{}.attn_qkv", hf: "transformer.h.{}.attn.c_attn", change: transposedMatrix },
    { gguf: "blk.{}.attn_output", hf: "transformer.h.{}.attn.c_proj", change: transposedMatrix },
    { gguf: "blk.{}.ffn_norm", hf: "transformer.h.{}.ln_2" },
    { gguf: "blk.{}.ffn_up", hf: "transformer.h.{}.mlp.c_fc", change: transposedMatrix },
    { gguf: "blk.{}.ffn_down", hf: "transformer.h.{}.mlp.c_proj", change: transposedMatrix },
  ],
  // causal masks that old checkpoints store
  omitted: /\.attn\.(masked_)?bias$/,
  toConfig(keys, extra) {
    const hidden = keys.number("embedding_length");
    return {
      model_type: "gpt2",
      vocab_size: vocabSize(extra),
      n_embd: hidden,
      n_layer: keys.number("block_count"),
      n_head: keys.number("attention.head_count"),
      n_inner: keys.number("feed_forward_length"),
      n_positions: keys.number("context_length"),
      layer_norm_epsilon: keys.number("attention.layer_norm_epsilon"),
      activation_function: "gelu_new",
      tie_word_embeddings: extra.shapeOf("output.weight") === undefined,
      ...tokenIds(keys),
    };
  },
  fromConfig(config) {
    expectValue(config, "activation_function", ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"]);
    expectValue(config, "scale_attn_by_inverse_layer_idx", [false]);
    const hidden = numberOf(config, "n_embd");
    return {
      keys: {
        context_length: numberOf(config, "n_positions"),
        embedding_length: hidden,
        block_count: numberOf(config, "n_layer"),
        feed_forward_length: optionalNumberOf(config, "n_inner") ?? 4 * hidden,
        "attention.head_count": numberOf(config, "n_head"),
        "attention.layer_norm_epsilon": optionalNumberOf(config, "layer_norm_epsilon") ?? 1e-5,
      },
    };
  },
};

export const gptneox: Architecture = {
  name: "gptneox",
  modelTypes: ["gpt_neox"],
  prefix: "gpt_neox.",
  rules: [
    { gguf: "token_embd", hf: "gpt_neox.embed_in" },
    { gguf: "output_norm", hf: "gpt_neox.final_layer_norm" },
    { gguf: "output", hf: "embed_out" },
    { gguf: "blk.{}.attn_norm", hf: "gpt_neox.layers.{}.input_layernorm" },
    { gguf: "blk.{}.attn_qkv", hf: "gpt_neox.layers.{}.attention.query_key_value", change: fusedByPart },
    { gguf: "blk.{}.attn_output", hf: "gpt_neox.layers.{}.attention.dense" },
    { gguf: "blk.{}.ffn_norm", hf: "gpt_neox.layers.{}.post_attention_layernorm" },
    { gguf: "blk.{}.ffn_up", hf: "gpt_neox.layers.{}.mlp.dense_h_to_4h" },
    { gguf: "blk.{}.ffn_down", hf: "gpt_neox.layers.{}.mlp.dense_4h_to_h" },
  ],
  omitted: /\.attention\.((masked_)?bias|rotary_emb\.inv_freq)$/,
  toConfig(keys, extra) {
    const [hidden, heads] = [keys.number("embedding_length"), keys.number("attention.head_count")];
    return {
      model_type: "gpt_neox",
      vocab_size: vocabSize(extra),
      hidden_size: hidden,
      num_hidden_layers: keys.number("block_count"),
      num_attention_heads: heads,
      intermediate_size: keys.number("feed_forward_length"),
      max_position_embeddings: keys.number("context_length"),
      layer_norm_eps: keys.number("attention.layer_norm_epsilon"),
      rotary_pct: keys.number("rope.dimension_count") / (hidden / heads),
      rotary_emb_base: keys.optionalNumber("rope.freq_base") ?? 10_000,
      use_parallel_residual: keys.optionalFlag("use_parallel_residual") ?? true,
      hidden_act: "gelu",
      tie_word_embeddings: false,
      ...tokenIds(keys),
    };
  },
  fromConfig(config) {
    expectValue(config, "hidden_act", ["gelu"]);
    if (config.tie_word_embeddings === true) {
      throw new UnsupportedError(
        "writing GGUF: llama.cpp needs gpt_neox with an output matrix of its own, the config ties it to the embedding",
      );
    }
    const [hidden, heads] = [numberOf(config, "hidden_size"), numberOf(config, "num_attention_heads")];
    const { theta, type, values } = ropeOf(config);
    expectValue({ ...config, rope_type: type }, "rope_type", ["default"]);
    const share = optionalNumberOf(values, "partial_rotary_factor") ?? optionalNumberOf(config, "rotary_pct") ?? 0.25;
    const base = optionalNumberOf(config, "rotary_emb_base") ?? theta;
    return {
      keys: {
        context_length: numberOf(config, "max_position_embeddings"),
        embedding_length: hidden,
        block_count: numberOf(config, "num_hidden_layers"),
        feed_forward_length: numberOf(config, "intermediate_size"),
        "attention.head_count": heads,
        "attention.layer_norm_epsilon": optionalNumberOf(config, "layer_norm_eps") ?? 1e-5,
        "rope.dimension_count": Math.floor((hidden / heads) * share),
        "rope.freq_base": base,
        use_parallel_residual: config.use_parallel_residual !== false,
      },
    };
  },
};
