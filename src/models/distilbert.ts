/** @file DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT's layers without token types. */

import { z } from "zod";
import { relu } from "../graph/index.js";
import { activationNames } from "../nn/index.js";
import { maskedLmHead, sequenceHead, tokenHead } from "./bert-heads.js";
import { type PostNormShape, postNormEncoder } from "./bert-layer.js";
import {
  type EncoderFamily,
  type EncoderNaming,
  numLabelsOf,
  parseConfig,
  prefixOf,
  sharedKeys,
} from "./encoder-config.js";

const rate = z.number().min(0).lt(1);
const schema = z.looseObject({
  model_type: z.literal("distilbert").default("distilbert"),
  ...sharedKeys,
  dim: z.int().positive().default(768),
  n_layers: z.int().positive().default(6),
  n_heads: z.int().positive().default(12),
  hidden_dim: z.int().positive().default(3072),
  activation: z.enum(activationNames).default("gelu"),
  dropout: rate.default(0.1),
  attention_dropout: rate.default(0.1),
  seq_classif_dropout: rate.default(0.2),
  max_position_embeddings: z.int().positive().default(512),
  // a table of sines would have to stay untrained; every published checkpoint has learned positions
  sinusoidal_pos_embds: z.literal(false).default(false),
});

export type DistilBertConfig = z.input<typeof schema>;

/**
 * The encoder and heads that a config.json describes.
 * @throws ConfigError naming each key that is missing, out of range or not supported (sinusoidal positions).
 */
export function distilbert(input: DistilBertConfig, naming: EncoderNaming = {}): EncoderFamily {
  const config = parseConfig("distilbert", schema, input);
  const shape: PostNormShape = {
    family: "distilbert",
    prefix: prefixOf("distilbert", config, naming),
    layerNames: {
      query: "attention.q_lin",
      key: "attention.k_lin",
      value: "attention.v_lin",
      output: "attention.out_lin",
      attentionNorm: "sa_layer_norm",
      up: "ffn.lin1",
      down: "ffn.lin2",
      norm: "output_layer_norm",
    },
    layers: "transformer.layer.",
    vocabSize: config.vocab_size,
    hiddenSize: config.dim,
    wideSize: config.hidden_dim,
    numLayers: config.n_layers,
    numHeads: config.n_heads,
    activation: config.activation,
    epsilon: 1e-12,
    numPositions: config.max_position_embeddings,
    numTokenTypes: 0,
    padding: config.pad_token_id ?? 0,
    skipsPadding: false,
    dropout: config.dropout,
    attentionDropout: config.attention_dropout,
    attentionOutputDropout: 0,
    std: config.initializer_range,
    config: { architectures: ["DistilBertModel"], ...config },
  };
  const numLabels = numLabelsOf(config);
  return {
    encoder: postNormEncoder(shape),
    head: (task) => {
      if (task === "token-classification") return tokenHead(shape, numLabels, config.dropout);
      if (task === "masked-lm") {
        const names = {
          transform: "vocab_transform",
          norm: "vocab_layer_norm",
          bias: "vocab_projector.bias",
          decoder: "vocab_projector.weight",
        };
        return maskedLmHead(shape, names, { activation: shape.activation, isTied: config.tie_word_embeddings });
      }
      const names = { dense: "pre_classifier", classifier: "classifier" };
      return sequenceHead(shape, names, {
        numLabels,
        activate: relu,
        dropoutBefore: 0,
        dropoutAfter: config.seq_classif_dropout,
      });
    },
  };
}
