/** @file What decoder families have in common: config keys, head shapes, and the model put together from its layers. */

import { z } from "zod";
import { ConfigError } from "../base/errors.js";
import {
  activationNames,
  type CacheSpec,
  type LanguageModel,
  type LayerKind,
  type Norm,
  type ParameterSpec,
  type Rope,
  rmsNormOf,
  ropeKeys,
} from "../nn/index.js";

/** Keys of config.json that the families of Llama's line share, as Hugging Face writes them. */
export const decoderKeys = {
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  max_position_embeddings: z.int().positive().default(2048),
  initializer_range: z.number().positive().default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.enum(activationNames).default("silu"),
  ...ropeKeys,
};

/** Keys for layers that see a window only. */
export const windowKeys = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.int().positive().nullish(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
};

export interface Heads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

interface HeadKeys {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: number | null | undefined;
  readonly head_dim?: number | null | undefined;
}

/** @throws ConfigError when the numbers do not divide into whole groups of even heads. */
export function headsOf(family: string, config: HeadKeys): Heads {
  const numHeads = config.num_attention_heads;
  const numKvHeads = config.num_key_value_heads ?? numHeads;
  const headDim = config.head_dim ?? config.hidden_size / numHeads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0 || numHeads % numKvHeads !== 0) {
    throw new ConfigError(
      `${family} config: ${config.hidden_size} hidden, ${numHeads} heads and ${numKvHeads} key/value heads do not divide into even head sizes and whole groups`,
    );
  }
  return { numHeads, numKvHeads, headDim };
}

/**
 * Which layers see a window: the config's own list, or `isSliding` by layer.
 * @throws ConfigError when the list has another length than the model has layers, or a window is missing.
 */
export function layerTypes(
  family: string,
  config: {
    readonly num_hidden_layers: number;
    readonly layer_types?: readonly string[] | null | undefined;
    readonly sliding_window?: number | null | undefined;
  },
  isSliding: (index: number) => boolean,
): ("full" | "sliding")[] {
  const { num_hidden_layers: count, layer_types: listed, sliding_window: window } = config;
  if (listed && listed.length !== count) {
    throw new ConfigError(`${family} config: layer_types names ${listed.length} layers, num_hidden_layers is ${count}`);
  }
  const types = Array.from({ length: count }, (_, i) =>
    (listed ? listed[i] === "sliding_attention" : isSliding(i)) ? ("sliding" as const) : ("full" as const),
  );
  if (types.includes("sliding") && !window) {
    throw new ConfigError(`${family} config: layers with sliding attention need sliding_window, got ${window}`);
  }
  return types;
}

export interface DecoderParts {
  readonly family: string;
  /** Class name that transformers knows the checkpoint by. */
  readonly architecture: string;
  /** The parsed config, which is written back as it is. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly maxPositions: number;
  /** Positions are learned, so that there are no more than `maxPositions`. Default false. */
  readonly hasFixedPositions?: boolean;
  /** Standard deviation at which embeddings start. */
  readonly std: number;
  /** Full names; the head's is ignored where it is tied. */
  readonly names: { readonly embedding: string; readonly head: string };
  readonly isTied: boolean;
  /** What comes before the first attention layer. */
  readonly stem?: LayerKind;
  /** Kind of each layer, with its prefix and what it caches. */
  readonly layers: readonly { readonly kind: string; readonly prefix: string; readonly cache: CacheSpec }[];
  readonly kinds: Readonly<Record<string, LayerKind>>;
  readonly finalNorm: Norm;
  readonly logitSoftcap?: number;
  readonly tables: LanguageModel["tables"];
  readonly tablesChangeAfter?: number;
  readonly peftTargets: readonly string[];
  readonly basePrefix: string;
}

/** A model from its parts. Kinds that no layer has are left out. */
export function decoder(parts: DecoderParts): LanguageModel {
  const { vocabSize, hiddenSize, names, stem, finalNorm, logitSoftcap } = parts;
  const embedding: ParameterSpec = {
    name: names.embedding,
    shape: [vocabSize, hiddenSize],
    init: { std: parts.std },
  };
  const used = new Set(parts.layers.map(({ kind }) => kind));
  const kinds = Object.fromEntries(Object.entries(parts.kinds).filter(([kind]) => used.has(kind)));
  return {
    family: parts.family,
    vocabSize,
    hiddenSize,
    maxPositions: parts.maxPositions,
    hasFixedPositions: parts.hasFixedPositions ?? false,
    embedding,
    layers: [...(stem ? [{ kind: "stem", prefix: "" }] : []), ...parts.layers],
    kinds: { ...(stem && { stem }), ...kinds },
    head: {
      parameters: finalNorm.parameters,
      normalize: (scope, x) => finalNorm.forward(scope, x),
      ...(parts.isTied ? { weight: embedding, tiedName: names.head } : { weight: { ...embedding, name: names.head } }),
      ...(logitSoftcap !== undefined && { softcap: logitSoftcap }),
    },
    caches: [...(stem ? [undefined] : []), ...parts.layers.map(({ cache }) => cache)],
    tables: parts.tables,
    ...(parts.tablesChangeAfter !== undefined && { tablesChangeAfter: parts.tablesChangeAfter }),
    peftTargets: parts.peftTargets,
    basePrefix: parts.basePrefix,
    config: { architectures: [parts.architecture], ...parts.config },
  };
}

/** Tables cos and sin of a rotary embedding. */
export function rotary({ tables, changesAfter }: Rope): Pick<DecoderParts, "tables" | "tablesChangeAfter"> {
  return {
    tables: (length) => ({ ...tables(length) }),
    ...(changesAfter !== undefined && { tablesChangeAfter: changesAfter }),
  };
}

/** Linear maps of a layer under Llama's names. */
const LLAMA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;

/** What the config of a model under Llama's names has. */
export interface LlamaLineConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly max_position_embeddings: number;
  readonly initializer_range: number;
  readonly rms_norm_eps: number;
  readonly tie_word_embeddings: boolean;
}

export interface LlamaLineParts
  extends Pick<DecoderParts, "family" | "architecture" | "kinds" | "tables" | "tablesChangeAfter"> {
  readonly config: LlamaLineConfig & DecoderParts["config"];
  readonly heads: Heads;
  /** Kind of each layer. */
  readonly layers: readonly string[];
  /** Window of the kinds that see one. */
  readonly windows?: Readonly<Record<string, number | undefined>>;
  readonly stem?: LayerKind;
  readonly finalNorm?: Norm;
  readonly logitSoftcap?: number;
  readonly peftTargets?: readonly string[];
}

/** A model under Llama's names: `model.embed_tokens`, `model.layers.N`, `model.norm`, `lm_head`. */
export function llamaLine({ config, heads, layers, windows = {}, ...parts }: LlamaLineParts): LanguageModel {
  const { numKvHeads, headDim } = heads;
  return decoder({
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    maxPositions: config.max_position_embeddings,
    std: config.initializer_range,
    names: { embedding: "model.embed_tokens.weight", head: "lm_head.weight" },
    isTied: config.tie_word_embeddings,
    finalNorm: rmsNormOf("model.norm", { size: config.hidden_size, epsilon: config.rms_norm_eps }),
    peftTargets: LLAMA_TARGETS,
    basePrefix: "model.",
    ...parts,
    config,
    layers: layers.map((kind, i) => {
      const window = windows[kind];
      const cache = window === undefined ? { numKvHeads, headDim } : { numKvHeads, headDim, window };
      return { kind, prefix: `model.layers.${i}.`, cache };
    }),
  });
}
