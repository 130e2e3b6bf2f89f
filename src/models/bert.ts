/** @file BERT (Devlin et al. 2019, arXiv:1810.04805); MiniLM, BGE and E5 have its shape. */

import { z } from "zod";
import { tanh } from "../graph/index.js";
import { maskedLmHead, sequenceHead, tokenHead } from "./bert-heads.js";
import { type LayerNames, type PostNormShape, postNormEncoder } from "./bert-layer.js";
import {
  bertKeys,
  type EncoderFamily,
  type EncoderNaming,
  numLabelsOf,
  parseConfig,
  prefixOf,
  sizesOf,
} from "./encoder-config.js";

const schema = z.looseObject({
  model_type: z.literal("bert").default("bert"),
  ...bertKeys,
  type_vocab_size: z.int().positive().default(2),
});

export type BertConfig = z.input<typeof schema>;

/** Names that BERT and RoBERTa share. */
export const bertLayerNames: LayerNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  output: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  up: "intermediate.dense",
  down: "output.dense",
  norm: "output.LayerNorm",
};

/**
 * The encoder and heads that a config.json describes.
 * @throws ConfigError naming each key that is missing, out of range or not supported (other position embeddings).
 */
export function bert(input: BertConfig, naming: EncoderNaming = {}): EncoderFamily {
  const config = parseConfig("bert", schema, input);
  const shape: PostNormShape = {
    ...sizesOf(config),
    family: "bert",
    prefix: prefixOf("bert", config, naming),
    layerNames: bertLayerNames,
    numTokenTypes: config.type_vocab_size,
    padding: config.pad_token_id ?? 0,
    skipsPadding: false,
    config: { architectures: ["BertModel"], ...config },
  };
  const ofClassifier = config.classifier_dropout ?? shape.dropout;
  return {
    encoder: postNormEncoder(shape),
    head: (task) => {
      if (task === "masked-lm") {
        const names = {
          transform: "cls.predictions.transform.dense",
          norm: "cls.predictions.transform.LayerNorm",
          bias: "cls.predictions.bias",
          decoder: "cls.predictions.decoder.weight",
        };
        return maskedLmHead(shape, names, { activation: shape.activation, isTied: config.tie_word_embeddings });
      }
      if (task === "token-classification") return tokenHead(shape, numLabelsOf(config), ofClassifier);
      const names = { dense: `${shape.prefix}pooler.dense`, classifier: "classifier" };
      const numLabels = numLabelsOf(config);
      return sequenceHead(shape, names, { numLabels, activate: tanh, dropoutBefore: 0, dropoutAfter: ofClassifier });
    },
  };
}
