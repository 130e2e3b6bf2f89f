/** @file What the configs of encoder families have in common. */

import { z } from "zod";
import { CheckpointError, ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import type { Encoder, EncoderHead } from "../nn/encoder.js";
import { activationNames, type ParameterSpec } from "../nn/index.js";
import type { EncoderTask } from "./bert-heads.js";

/** An encoder with the heads that its family defines. */
export interface EncoderFamily {
  readonly encoder: Encoder;
  /** Made from `num_labels` or `id2label` of the config where classes are counted. */
  head(task: EncoderTask): EncoderHead;
}

export interface EncoderNaming {
  /**
   * Before the encoder's names in the checkpoint. Default: what the config's first architecture uses, the family's word
   * where it has a head (`BertForMaskedLM`: "bert."), nothing where it is bare (`BertModel`).
   */
  readonly prefix?: string;
}

/** Keys of config.json that all these families read alike. */
export const sharedKeys = {
  architectures: z.array(z.string()).nullish(),
  vocab_size: z.int().positive(),
  pad_token_id: z.int().nonnegative().nullish(),
  tie_word_embeddings: z.boolean().default(true),
  initializer_range: z.number().positive().default(0.02),
  id2label: z.record(z.string(), z.string()).nullish(),
  num_labels: z.int().positive().nullish(),
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
};

const rate = z.number().min(0).lt(1);

/** Keys under BERT's own names. */
export const bertKeys = {
  ...sharedKeys,
  hidden_size: z.int().positive().default(768),
  num_hidden_layers: z.int().positive().default(12),
  num_attention_heads: z.int().positive().default(12),
  intermediate_size: z.int().positive().default(3072),
  hidden_act: z.enum(activationNames).default("gelu"),
  hidden_dropout_prob: rate.default(0.1),
  attention_probs_dropout_prob: rate.default(0.1),
  classifier_dropout: rate.nullish(),
  max_position_embeddings: z.int().positive().default(512),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal("absolute").default("absolute"),
};

/** What configs with BERT's names say of the network. */
export function sizesOf(config: z.output<z.ZodObject<typeof bertKeys>>) {
  return {
    layers: "encoder.layer.",
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    wideSize: config.intermediate_size,
    numLayers: config.num_hidden_layers,
    numHeads: config.num_attention_heads,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    numPositions: config.max_position_embeddings,
    dropout: config.hidden_dropout_prob,
    attentionDropout: config.attention_probs_dropout_prob,
    attentionOutputDropout: config.hidden_dropout_prob,
    std: config.initializer_range,
  };
}

/** @throws ConfigError naming each key that is missing, out of range or of a value that is not supported. */
export function parseConfig<T extends z.ZodType>(family: string, schema: T, config: z.input<T>): z.output<T> {
  const parsed = schema.safeParse(config);
  if (!parsed.success) throw new ConfigError(`${family} config: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function prefixOf(
  word: string,
  { architectures }: { readonly architectures?: readonly string[] | null | undefined },
  { prefix }: EncoderNaming,
): string {
  return prefix ?? (architectures?.[0]?.includes("For") ? `${word}.` : "");
}

/** Classes that a config names; 2 where it names none, as transformers has it. */
export function numLabelsOf(config: {
  readonly num_labels?: number | null | undefined;
  readonly id2label?: Readonly<Record<string, string>> | null | undefined;
}): number {
  return config.num_labels ?? (config.id2label ? Object.keys(config.id2label).length : 2);
}

/**
 * The tensors of a checkpoint that a network reads, by the names that it reads them by. Norms whose weight and bias are
 * called gamma and beta (BERT's first checkpoints) are found too.
 * @throws CheckpointError naming the first that is missing or has another shape.
 */
export function pickParameters(
  specs: readonly ParameterSpec[],
  tensors: ReadonlyMap<string, HostTensor>,
): Map<string, HostTensor> {
  const older = (name: string): string =>
    name.replace(/(LayerNorm)\.weight$/, "$1.gamma").replace(/(LayerNorm)\.bias$/, "$1.beta");
  return new Map(
    specs.map(({ name, shape }) => {
      const tensor = tensors.get(name) ?? tensors.get(older(name));
      if (!tensor || `${tensor.shape}` !== `${shape}`) {
        throw new CheckpointError(
          `expected a tensor ${name} of shape [${shape}], found ${tensor ? `[${tensor.shape}]` : "nothing"}; is it a checkpoint of another task, or under another prefix?`,
        );
      }
      return [name, tensor] as const;
    }),
  );
}
