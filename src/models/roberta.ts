/** @file RoBERTa (Liu et al. 2019, arXiv:1907.11692) and XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116). */

import { z } from "zod";
import { tanh } from "../graph/index.js";
import { bertLayerNames } from "./bert.js";
import { maskedLmHead, sequenceHead, tokenHead } from "./bert-heads.js";
import { type PostNormShape, postNormEncoder } from "./bert-layer.js";
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
  model_type: z.enum(["roberta", "xlm-roberta"]).default("roberta"),
  ...bertKeys,
  type_vocab_size: z.int().positive().default(2),
});

export type RobertaConfig = z.input<typeof schema>;

/**
 * The encoder and heads that a config.json describes.
 * @throws ConfigError naming each key that is missing, out of range or not supported (other position embeddings).
 */
export function roberta(input: RobertaConfig, naming: EncoderNaming = {}): EncoderFamily {
  const config = parseConfig("roberta", schema, input);
  const shape: PostNormShape = {
    ...sizesOf(config),
    family: config.model_type,
    prefix: prefixOf("roberta", config, naming),
    layerNames: bertLayerNames,
    numTokenTypes: config.type_vocab_size,
    padding: config.pad_token_id ?? 1,
    skipsPadding: true,
    config: { architectures: [config.model_type === "roberta" ? "RobertaModel" : "XLMRobertaModel"], ...config },
  };
  const ofClassifier = config.classifier_dropout ?? shape.dropout;
  return { encoder: postNormEncoder(shape), head: (task) => robertaHead(shape, config, ofClassifier, task) };
}

/** Heads under RoBERTa's names, which MPNet has too. */
export function robertaHead(
  shape: PostNormShape,
  config: Parameters<typeof numLabelsOf>[0] & { readonly tie_word_embeddings: boolean },
  ofClassifier: number,
  task: Parameters<EncoderFamily["head"]>[0],
): ReturnType<EncoderFamily["head"]> {
  const numLabels = numLabelsOf(config);
  if (task === "token-classification") return tokenHead(shape, numLabels, ofClassifier);
  if (task === "masked-lm") {
    const names = {
      transform: "lm_head.dense",
      norm: "lm_head.layer_norm",
      bias: "lm_head.bias",
      decoder: "lm_head.decoder.weight",
    };
    return maskedLmHead(shape, names, { activation: "gelu", isTied: config.tie_word_embeddings });
  }
  const names = { dense: "classifier.dense", classifier: "classifier.out_proj" };
  return sequenceHead(shape, names, {
    numLabels,
    activate: tanh,
    dropoutBefore: ofClassifier,
    dropoutAfter: ofClassifier,
  });
}
