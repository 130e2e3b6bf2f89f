/** @file T5 (Raffel et al. 2020, arXiv:1910.10683), versions 1.0 and 1.1 (Flan-T5). */

import { z } from "zod";
import { ConfigError } from "../base/errors.js";
import { add, gather, matmul, mul, rmsNorm, scalar, type Tensor, where } from "../graph/index.js";
import type { Encoder, EncoderContext, LengthTable } from "../nn/encoder.js";
import type {
  Decoder,
  DecoderContext,
  DecoderLayerKind,
  EncoderDecoder,
  MemoryAttention,
} from "../nn/encoder-decoder.js";
import { type ActivationName, activations, type ParameterSpec, type Scope } from "../nn/index.js";
import { type BucketOptions, bucketBias, bucketTable } from "../nn/position/t5-buckets.js";
import { parseConfig } from "./encoder-config.js";

const rate = z.number().min(0).lt(1);
const schema = z.looseObject({
  model_type: z.literal("t5").default("t5"),
  vocab_size: z.int().positive(),
  d_model: z.int().positive().default(512),
  d_kv: z.int().positive().default(64),
  d_ff: z.int().positive().default(2048),
  num_layers: z.int().positive().default(6),
  num_decoder_layers: z.int().positive().nullish(),
  num_heads: z.int().positive().default(8),
  relative_attention_num_buckets: z.int().positive().default(32),
  relative_attention_max_distance: z.int().positive().default(128),
  dropout_rate: rate.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  initializer_factor: z.number().positive().default(1),
  feed_forward_proj: z
    .enum(["relu", "gelu", "gelu_new", "silu", "gated-relu", "gated-gelu", "gated-silu"])
    .default("relu"),
  tie_word_embeddings: z.boolean().default(true),
  // what transformers 5 writes for checkpoints whose logits are not scaled
  scale_decoder_outputs: z.boolean().nullish(),
  pad_token_id: z.int().nonnegative().nullish(),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  decoder_start_token_id: z.int().nonnegative().nullish(),
  // the length that training used; positions are relative and know no end
  n_positions: z.int().positive().default(512),
});

export type T5Config = z.input<typeof schema>;
type Parsed = z.output<typeof schema>;

/** Score of a key in the future. */
const MASKED = -1e30;

const embeddingName = "shared.weight";

/**
 * Builds the encoder-decoder that a config.json describes.
 * @throws ConfigError naming each key that is missing, out of range or not supported.
 */
export function t5(input: T5Config): EncoderDecoder {
  const config = parseConfig("t5", schema, input);
  if (config.relative_attention_num_buckets % 4 !== 0) {
    throw new ConfigError(`t5 config: ${config.relative_attention_num_buckets} buckets do not split into four ranges`);
  }
  const end = config.eos_token_id ?? [];
  return {
    family: config.model_type,
    vocabSize: config.vocab_size,
    hiddenSize: config.d_model,
    encoder: encoder(config),
    decoder: decoder(config),
    startToken: config.decoder_start_token_id ?? config.pad_token_id ?? 0,
    padToken: config.pad_token_id ?? 0,
    endTokens: typeof end === "number" ? [end] : end,
    config: { architectures: ["T5ForConditionalGeneration"], ...config },
  };
}

const embedding = ({ vocab_size, d_model, initializer_factor }: Parsed): ParameterSpec => ({
  name: embeddingName,
  shape: [vocab_size, d_model],
  init: { std: initializer_factor },
  matrix: "plain",
});

const norm = (name: string, { d_model }: Parsed): ParameterSpec => ({
  name: `${name}.weight`,
  shape: [d_model],
  init: { fill: 1 },
});

/** Weights start as in section 3.1.1 of the authors' code: by the size of what is summed, for unscaled scores. */
function attentionParameters(
  name: string,
  { d_model, d_kv, num_heads, initializer_factor: f }: Parsed,
): ParameterSpec[] {
  const inner = num_heads * d_kv;
  const linear = (part: string, shape: readonly [number, number], std: number): ParameterSpec => ({
    name: `${name}.${part}.weight`,
    shape,
    init: { std: f * std },
  });
  return [
    linear("q", [inner, d_model], (d_model * d_kv) ** -0.5),
    linear("k", [inner, d_model], d_model ** -0.5),
    linear("v", [inner, d_model], d_model ** -0.5),
    linear("o", [d_model, inner], inner ** -0.5),
  ];
}

function wideParameters({ d_model, d_ff, initializer_factor: f, feed_forward_proj }: Parsed): ParameterSpec[] {
  const up = feed_forward_proj.startsWith("gated-") ? ["wi_0", "wi_1"] : ["wi"];
  return [
    ...up.map((name) => ({
      name: `DenseReluDense.${name}.weight`,
      shape: [d_ff, d_model],
      init: { std: f * d_model ** -0.5 },
    })),
    { name: "DenseReluDense.wo.weight", shape: [d_model, d_ff], init: { std: f * d_ff ** -0.5 } },
  ];
}

/** Parameters of a sublayer with the norm before it. */
const sublayer = (config: Parsed, index: number, specs: readonly ParameterSpec[]): ParameterSpec[] =>
  [...specs, norm("layer_norm", config)].map((spec) => ({ ...spec, name: `layer.${index}.${spec.name}` }));

const normalized = (scope: Scope, name: string, x: Tensor, { layer_norm_epsilon }: Parsed): Tensor =>
  rmsNorm(x, scope.tensor(`${name}.weight`), layer_norm_epsilon);

/** Attention of a normalised copy, added back. Scores are not scaled: the weights' start takes care of that. */
function selfAttention(config: Parsed, scope: Scope, x: Tensor, context: EncoderContext | DecoderContext): Tensor {
  const h = normalized(scope, "layer.0.layer_norm", x, config);
  const part = (name: string): Tensor => scope.linear(`layer.0.SelfAttention.${name}`).forward(h);
  const attended = context.attend({
    q: part("q"),
    k: part("k"),
    v: part("v"),
    ...heads(config),
    bias: context.shared.bias!,
  });
  return add(x, context.dropout(scope.linear("layer.0.SelfAttention.o").forward(attended), config.dropout_rate));
}

const heads = ({ num_heads, d_kv, dropout_rate }: Parsed): Omit<MemoryAttention, "q"> => ({
  numHeads: num_heads,
  headDim: d_kv,
  scale: 1,
  dropout: dropout_rate,
});

/** The wide layer of a normalised copy, added back; gated ones are those of Shazeer 2020, arXiv:2002.05202. */
function wideLayer(
  config: Parsed,
  index: number,
  scope: Scope,
  x: Tensor,
  context: EncoderContext | DecoderContext,
): Tensor {
  const at = (name: string): string => `layer.${index}.${name}`;
  const h = normalized(scope, at("layer_norm"), x, config);
  const up = (name: string): Tensor => scope.linear(at(`DenseReluDense.${name}`)).forward(h);
  const [, gate, named] = /^(gated-)?(.+)$/.exec(config.feed_forward_proj)!;
  // the tanh form is what v1.1 was trained with, though its configs say gelu
  const act = activations[(gate && named === "gelu" ? "gelu_new" : named) as ActivationName];
  const wide = gate ? mul(act(up("wi_0")), up("wi_1")) : act(up("wi"));
  const narrow = scope.linear(at("DenseReluDense.wo")).forward(context.dropout(wide, config.dropout_rate));
  return add(x, context.dropout(narrow, config.dropout_rate));
}

const biasName = (part: string): string => `${part}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;

/** The table that the first layer holds and all layers use. */
const biasParameter = (part: string, config: Parsed): ParameterSpec => ({
  name: biasName(part),
  shape: [config.relative_attention_num_buckets, config.num_heads],
  init: { std: config.initializer_factor * config.d_model ** -0.5 },
  matrix: "plain",
});

const bucketsOf = (config: Parsed, isBidirectional: boolean): BucketOptions => ({
  isBidirectional,
  numBuckets: config.relative_attention_num_buckets,
  maxDistance: config.relative_attention_max_distance,
});

function encoder(config: Parsed): Encoder {
  const options = bucketsOf(config, true);
  const buckets: LengthTable = {
    aval: (time) => ({ dtype: "int64", shape: [time, time] }),
    values: (time) => bucketTable(time, time, options),
  };
  return {
    family: config.model_type,
    vocabSize: config.vocab_size,
    hiddenSize: config.d_model,
    maxPositions: Number.MAX_SAFE_INTEGER,
    numTokenTypes: 0,
    stem: {
      parameters: [embedding(config), biasParameter("encoder", config)],
      build: (scope, { ids, tables }, { dropout }) => ({
        x: dropout(gather(scope.tensor(embeddingName), ids), config.dropout_rate),
        bias: bucketBias(scope.tensor(biasName("encoder")), tables.buckets!),
      }),
    },
    layers: Array.from({ length: config.num_layers }, (_, i) => ({ kind: "layer", prefix: `encoder.block.${i}.` })),
    kinds: {
      layer: {
        parameters: [
          ...sublayer(config, 0, attentionParameters("SelfAttention", config)),
          ...sublayer(config, 1, wideParameters(config)),
        ],
        build: (scope, x, context) => wideLayer(config, 1, scope, selfAttention(config, scope, x, context), context),
      },
    },
    final: {
      parameters: [norm("encoder.final_layer_norm", config)],
      build: (scope, x, { dropout }) =>
        dropout(normalized(scope, "encoder.final_layer_norm", x, config), config.dropout_rate),
    },
    tables: { buckets },
    config,
  };
}

function decoder(config: Parsed): Decoder {
  const options = bucketsOf(config, false);
  const words = embedding(config);
  const weight = config.tie_word_embeddings ? words : { ...words, name: "lm_head.weight" };
  // logits of a table that is also the embedding are of unit size only after this (section 3.1.1 of the authors' code)
  const isScaled = config.scale_decoder_outputs ?? config.tie_word_embeddings;
  return {
    stem: {
      parameters: [words, biasParameter("decoder", config)],
      build: (scope, { ids, visible, tables }, { dropout }) => {
        const bias = bucketBias(scope.tensor(biasName("decoder")), tables.buckets!);
        return {
          x: dropout(gather(scope.tensor(embeddingName), ids), config.dropout_rate),
          bias: where(visible, bias, scalar(MASKED)),
        };
      },
    },
    layers: Array.from({ length: config.num_decoder_layers ?? config.num_layers }, (_, i) => ({
      kind: "layer",
      prefix: `decoder.block.${i}.`,
    })),
    kinds: { layer: decoderLayer(config) },
    head: {
      parameters: [norm("decoder.final_layer_norm", config), weight],
      build: (scope, x, { dropout }) => {
        const h = dropout(normalized(scope, "decoder.final_layer_norm", x, config), config.dropout_rate);
        return matmul(h, scope.tensor(weight.name), { transB: true, scale: isScaled ? config.d_model ** -0.5 : 1 });
      },
    },
    tables: {
      buckets: {
        aval: (numQueries, numKeys) => ({ dtype: "int64", shape: [numQueries, numKeys] }),
        values: (numQueries, numKeys) =>
          bucketTable(numQueries, numKeys, { ...options, firstQuery: numKeys - numQueries }),
      },
    },
  };
}

function decoderLayer(config: Parsed): DecoderLayerKind {
  const cross = "layer.1.EncDecAttention";
  return {
    parameters: [
      ...sublayer(config, 0, attentionParameters("SelfAttention", config)),
      ...sublayer(config, 1, attentionParameters("EncDecAttention", config)),
      ...sublayer(config, 2, wideParameters(config)),
    ],
    numHeads: config.num_heads,
    headDim: config.d_kv,
    memory: (scope, encoded) => ({
      k: scope.linear(`${cross}.k`).forward(encoded),
      v: scope.linear(`${cross}.v`).forward(encoded),
    }),
    build: (scope, x, context) => {
      const middle = selfAttention(config, scope, x, context);
      const h = normalized(scope, "layer.1.layer_norm", middle, config);
      const attended = context.attendMemory({ q: scope.linear(`${cross}.q`).forward(h), ...heads(config) });
      const crossed = add(middle, context.dropout(scope.linear(`${cross}.o`).forward(attended), config.dropout_rate));
      return wideLayer(config, 2, scope, crossed, context);
    },
  };
}
