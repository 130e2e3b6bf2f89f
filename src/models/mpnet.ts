/** @file MPNet (Song et al. 2020, arXiv:2004.09297): RoBERTa's layers with T5's relative positions, one table for all. */

import { z } from "zod";
import { bucketBias, bucketTable } from "../nn/position/t5-buckets.js";
import { type PostNormShape, postNormEncoder, type SharedBias } from "./bert-layer.js";
import { bertKeys, type EncoderFamily, type EncoderNaming, parseConfig, prefixOf, sizesOf } from "./encoder-config.js";
import { robertaHead } from "./roberta.js";

/** What the reference computes with, whatever a config says. */
const BUCKETS = { isBidirectional: true, numBuckets: 32, maxDistance: 128 };

const schema = z.looseObject({
  model_type: z.literal("mpnet").default("mpnet"),
  ...bertKeys,
  relative_attention_num_buckets: z.literal(BUCKETS.numBuckets).default(BUCKETS.numBuckets),
});

export type MpnetConfig = z.input<typeof schema>;

/**
 * The encoder and heads that a config.json describes.
 * @throws ConfigError naming each key that is missing, out of range or not supported (other numbers of buckets).
 */
export function mpnet(input: MpnetConfig, naming: EncoderNaming = {}): EncoderFamily {
  const config = parseConfig("mpnet", schema, input);
  const shape: PostNormShape = {
    ...sizesOf(config),
    family: "mpnet",
    prefix: prefixOf("mpnet", config, naming),
    layerNames: {
      query: "attention.attn.q",
      key: "attention.attn.k",
      value: "attention.attn.v",
      output: "attention.attn.o",
      attentionNorm: "attention.LayerNorm",
      up: "intermediate.dense",
      down: "output.dense",
      norm: "output.LayerNorm",
    },
    numTokenTypes: 0,
    // the reference has this id built in
    padding: 1,
    skipsPadding: true,
    config: { architectures: ["MPNetModel"], ...config },
  };
  const ofClassifier = config.classifier_dropout ?? shape.dropout;
  return {
    encoder: postNormEncoder(shape, relativeBias(shape)),
    head: (task) => robertaHead(shape, config, ofClassifier, task),
  };
}

function relativeBias({ prefix, numHeads, std }: PostNormShape): SharedBias {
  const name = `${prefix}encoder.relative_attention_bias.weight`;
  return {
    parameters: [{ name, shape: [BUCKETS.numBuckets, numHeads], init: { std }, matrix: "plain" }],
    tables: {
      buckets: {
        aval: (time) => ({ dtype: "int64", shape: [time, time] }),
        values: (time) => bucketTable(time, time, BUCKETS),
      },
    },
    build: (scope, { buckets }) => bucketBias(scope.tensor(name), buckets!),
  };
}
