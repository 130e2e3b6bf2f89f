/** @file The Llama family (Touvron et al. 2023, arXiv:2302.13971): RMSNorm, rotary positions, grouped queries, SwiGLU. */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import { add, mul, rmsNorm, rope, silu, type Tensor } from "../graph/index.js";
import { type LanguageModel, type LayerContext, type ParameterSpec, ropeTables, type Scope } from "../nn/index.js";

/** Keys of config.json as Hugging Face writes them. Keys that change nothing here are kept and written back. */
const schema = z.looseObject({
  model_type: z.literal("llama").default("llama"),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().optional(),
  head_dim: z.int().positive().nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: z
    .looseObject({ rope_theta: z.number().positive().optional(), rope_type: z.string().optional() })
    .nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  max_position_embeddings: z.int().positive().default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.literal("silu").default("silu"),
  initializer_range: z.number().positive().default(0.02),
});

export type LlamaConfig = z.input<typeof schema>;

/**
 * Builds the model that a config.json describes.
 * @throws ConfigError naming each key that is missing or out of range; UnsupportedError for rope scaling.
 */
export function llama(input: LlamaConfig): LanguageModel {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ConfigError(`llama config: ${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  const ropeType = config.rope_parameters?.rope_type ?? "default";
  if (config.rope_scaling || ropeType !== "default") {
    throw new UnsupportedError(
      `llama config: rope scaling (${JSON.stringify(config.rope_scaling ?? ropeType)}) is not supported`,
    );
  }
  const numHeads = config.num_attention_heads;
  const numKvHeads = config.num_key_value_heads ?? numHeads;
  const headDim = config.head_dim ?? config.hidden_size / numHeads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0 || numHeads % numKvHeads !== 0) {
    throw new ConfigError(
      `llama config: ${config.hidden_size} hidden, ${numHeads} heads and ${numKvHeads} key/value heads do not divide into even head sizes and whole groups`,
    );
  }
  const layer = { config, numHeads, numKvHeads, headDim };
  const embedding: ParameterSpec = {
    name: "model.embed_tokens.weight",
    shape: [config.vocab_size, config.hidden_size],
    init: { std: config.initializer_range },
  };
  const theta = config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000;
  return {
    family: "llama",
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    maxPositions: config.max_position_embeddings,
    embedding,
    layers: Array.from({ length: config.num_hidden_layers }, (_, i) => ({
      kind: "decoder",
      prefix: `model.layers.${i}.`,
    })),
    kinds: {
      decoder: {
        parameters: layerParameters(layer),
        build: (scope, x, context) => buildLayer(layer, scope, x, context),
      },
    },
    head: {
      parameters: [{ name: "model.norm.weight", shape: [config.hidden_size], init: { fill: 1 } }],
      normalize: (scope, x) => rmsNorm(x, scope.tensor("model.norm.weight"), config.rms_norm_eps),
      weight: config.tie_word_embeddings ? embedding : { ...embedding, name: "lm_head.weight" },
    },
    caches: Array.from({ length: config.num_hidden_layers }, () => ({ numKvHeads, headDim })),
    tables: (length) => ropeTables(length, headDim, theta),
    peftTargets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    config: { architectures: ["LlamaForCausalLM"], ...config },
  };
}

interface LayerShape {
  readonly config: z.output<typeof schema>;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

function layerParameters({ config, numHeads, numKvHeads, headDim }: LayerShape): ParameterSpec[] {
  const { hidden_size: hidden, intermediate_size: wide, initializer_range: std, num_hidden_layers: depth } = config;
  const linear = (name: string, outputs: number, inputs: number, bias: boolean, scale = 1): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [outputs, inputs], init: { std: std * scale } },
    ...(bias ? [{ name: `${name}.bias`, shape: [outputs], init: { fill: 0 } }] : []),
  ];
  const norm = (name: string): ParameterSpec => ({ name: `${name}.weight`, shape: [hidden], init: { fill: 1 } });
  // maps that write to the residual stream start smaller, so that its variance does not grow with depth (GPT-2, section 2.3)
  const residual = 1 / Math.sqrt(2 * depth);
  return [
    norm("input_layernorm"),
    ...linear("self_attn.q_proj", numHeads * headDim, hidden, config.attention_bias),
    ...linear("self_attn.k_proj", numKvHeads * headDim, hidden, config.attention_bias),
    ...linear("self_attn.v_proj", numKvHeads * headDim, hidden, config.attention_bias),
    ...linear("self_attn.o_proj", hidden, numHeads * headDim, config.attention_bias, residual),
    norm("post_attention_layernorm"),
    ...linear("mlp.gate_proj", wide, hidden, config.mlp_bias),
    ...linear("mlp.up_proj", wide, hidden, config.mlp_bias),
    ...linear("mlp.down_proj", hidden, wide, config.mlp_bias, residual),
  ];
}

/** x [B, T, D] → [B, T, D]: attention and MLP, each on a normalised copy and added back. */
function buildLayer(shape: LayerShape, scope: Scope, x: Tensor, context: LayerContext): Tensor {
  const { config, numHeads, numKvHeads, headDim } = shape;
  const norm = (name: string, h: Tensor): Tensor => rmsNorm(h, scope.tensor(`${name}.weight`), config.rms_norm_eps);
  const rotate = (h: Tensor): Tensor =>
    rope(h, context.positions, context.tables.cos!, context.tables.sin!, { interleaved: false });
  const h = norm("input_layernorm", x);
  const attended = context.attend({
    q: rotate(scope.linear("self_attn.q_proj").forward(h)),
    k: rotate(scope.linear("self_attn.k_proj").forward(h)),
    v: scope.linear("self_attn.v_proj").forward(h),
    numHeads,
    numKvHeads,
    headDim,
    scale: headDim ** -0.5,
  });
  const middle = add(x, scope.linear("self_attn.o_proj").forward(attended));
  const g = norm("post_attention_layernorm", middle);
  const gate = silu(scope.linear("mlp.gate_proj").forward(g));
  const wide = mul(gate, scope.linear("mlp.up_proj").forward(g));
  return add(middle, scope.linear("mlp.down_proj").forward(wide));
}
