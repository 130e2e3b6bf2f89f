/** @file The Phi-3 family (Abdin et al. 2024, arXiv:2404.14219): Llama's layer with fused projections, and LongRoPE. */

import { z } from "zod";
import {
  fusedGatedMlp,
  fusedProjection,
  type LayerKind,
  preNormLayer,
  residualStd,
  rmsNormOf,
  ropeFromConfig,
  selfAttention,
  withDropout,
} from "../nn/index.js";
import { decoderKeys, type Heads, headsOf, llamaLine, rotary } from "./decoder.js";
import { defineFamily } from "./family.js";
import { mlpOptions, ROTATION } from "./llama-layer.js";

const rate = z.number().min(0).lt(1).default(0);

const schema = z.looseObject({
  model_type: z.literal("phi3").default("phi3"),
  ...decoderKeys,
  max_position_embeddings: z.int().positive().default(4096),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: z.int().positive().nullable().default(null),
  /** Dropout while training of what is added to the residual stream. The reference reads no embd_pdrop. */
  resid_pdrop: rate,
});

type Phi3Config = z.output<typeof schema>;

export const phi3 = defineFamily("phi3", schema, (input) => {
  const config = { ...input, ...withLongRope(input) };
  const heads = headsOf("phi3", config);
  const rope = ropeFromConfig(config, { headDim: heads.headDim, maxPositions: config.max_position_embeddings });
  return llamaLine({
    family: "phi3",
    architecture: "Phi3ForCausalLM",
    config: input,
    heads,
    layers: new Array<string>(config.num_hidden_layers).fill("decoder"),
    windows: { decoder: config.sliding_window ?? undefined },
    kinds: { decoder: phi3Layer(config, heads) },
    ...rotary(rope),
    peftTargets: ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"],
  });
});

/** Early Phi-3 files call LongRoPE "su" or "yarn". */
function withLongRope({ rope_scaling: scaling }: Phi3Config): Partial<Phi3Config> {
  const type = scaling?.rope_type ?? scaling?.type;
  return type === "yarn" ? { rope_scaling: { ...scaling, rope_type: "longrope" } } : {};
}

function phi3Layer(config: Phi3Config, heads: Heads): LayerKind {
  const { hidden_size: hiddenSize, initializer_range: std, rms_norm_eps: epsilon, sliding_window: window } = config;
  const norm = (name: string) => rmsNormOf(name, { size: hiddenSize, epsilon });
  const attention = selfAttention({
    ...heads,
    hiddenSize,
    projections: fusedProjection("self_attn.qkv_proj", { ...heads, hiddenSize, bias: false, std, order: "blocks" }),
    output: "self_attn.o_proj",
    outputBias: false,
    outputStd: residualStd(std, config.num_hidden_layers),
    rotation: ROTATION,
    ...(window !== null && { window }),
  });
  const mlp = fusedGatedMlp(mlpOptions(config, false), { gateUp: "mlp.gate_up_proj", down: "mlp.down_proj" });
  return preNormLayer({
    attentionNorm: norm("input_layernorm"),
    attention: withDropout(attention, config.resid_pdrop),
    mlpNorm: norm("post_attention_layernorm"),
    mlp: withDropout(mlp, config.resid_pdrop),
  });
}
