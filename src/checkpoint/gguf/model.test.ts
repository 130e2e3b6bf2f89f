/**
 * @file Tests of whole models as GGUF: every architecture there and back. That llama.cpp computes the same with such files was checked by hand
 * (node-llama-cpp 3.22.1 against Transformers 5.18: greedy tokens).
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, UnsupportedError } from "../../base/errors.js";
import { type HostTensor, hostTensor, sizeOf } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import type { JsonValue } from "../json.js";
import { readModel } from "../model-folder.js";
import { architectures } from "./architectures/index.js";
import type { GgufValue } from "./metadata.js";
import { readGgufModel, writeGgufModel } from "./model.js";
import { readGguf } from "./read.js";
import { writeGguf } from "./write.js";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-gguf-model-"));
  path = join(folder, "model.gguf");
});
afterEach(() => rm(folder, { recursive: true }));

type Config = Record<string, JsonValue>;
type Shapes = Record<string, readonly number[]>;

const decoder = {
  vocab_size: 40,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 2 ** -20,
  rope_theta: 10_000,
} as const;

/** Shapes of one Llama-like layer with head size C. */
function layer(i: number, headDim: number): Shapes {
  const at = `model.layers.${i}`;
  return {
    [`${at}.input_layernorm.weight`]: [64],
    [`${at}.self_attn.q_proj.weight`]: [4 * headDim, 64],
    [`${at}.self_attn.k_proj.weight`]: [2 * headDim, 64],
    [`${at}.self_attn.v_proj.weight`]: [2 * headDim, 64],
    [`${at}.self_attn.o_proj.weight`]: [64, 4 * headDim],
    [`${at}.post_attention_layernorm.weight`]: [64],
    [`${at}.mlp.gate_proj.weight`]: [96, 64],
    [`${at}.mlp.up_proj.weight`]: [96, 64],
    [`${at}.mlp.down_proj.weight`]: [64, 96],
  };
}

function llamaLike(headDim: number, more: (layer: string) => Shapes = () => ({})): Shapes {
  return {
    "model.embed_tokens.weight": [40, 64],
    "model.norm.weight": [64],
    ...layer(0, headDim),
    ...layer(1, headDim),
    ...more("model.layers.0"),
    ...more("model.layers.1"),
  };
}

const headNorms = (at: string): Shapes => ({
  [`${at}.self_attn.q_norm.weight`]: [32],
  [`${at}.self_attn.k_norm.weight`]: [32],
});
const gemmaNorms = (at: string): Shapes => ({
  [`${at}.pre_feedforward_layernorm.weight`]: [64],
  [`${at}.post_feedforward_layernorm.weight`]: [64],
});
const qwenBiases = (at: string): Shapes => ({
  [`${at}.self_attn.q_proj.bias`]: [64],
  [`${at}.self_attn.k_proj.bias`]: [32],
  [`${at}.self_attn.v_proj.bias`]: [32],
});
const gemma = { hidden_activation: "gelu_pytorch_tanh", head_dim: 32, query_pre_attn_scalar: 32, sliding_window: 16 };

const models: Record<keyof typeof architectures, { config: Config; shapes: Shapes }> = {
  llama: {
    config: { ...decoder, model_type: "llama", hidden_act: "silu", attention_bias: true },
    shapes: { ...llamaLike(16, qwenBiases), "lm_head.weight": [40, 64] },
  },
  qwen2: { config: { ...decoder, model_type: "qwen2" }, shapes: llamaLike(16, qwenBiases) },
  qwen3: { config: { ...decoder, model_type: "qwen3", head_dim: 32 }, shapes: llamaLike(32, headNorms) },
  gemma2: {
    config: {
      ...decoder,
      ...gemma,
      model_type: "gemma2",
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      layer_types: ["sliding_attention", "full_attention"],
    },
    shapes: llamaLike(32, gemmaNorms),
  },
  gemma3: {
    config: { ...decoder, ...gemma, model_type: "gemma3_text", rope_theta: 1e6, rope_local_base_freq: 10_000 },
    shapes: llamaLike(32, (at) => ({ ...gemmaNorms(at), ...headNorms(at) })),
  },
  phi3: {
    config: { ...decoder, model_type: "phi3", original_max_position_embeddings: 64 },
    shapes: {
      "model.embed_tokens.weight": [40, 64],
      "model.norm.weight": [64],
      "lm_head.weight": [40, 64],
      "model.layers.0.input_layernorm.weight": [64],
      "model.layers.0.self_attn.qkv_proj.weight": [128, 64],
      "model.layers.0.self_attn.o_proj.weight": [64, 64],
      "model.layers.0.post_attention_layernorm.weight": [64],
      "model.layers.0.mlp.gate_up_proj.weight": [192, 64],
      "model.layers.0.mlp.down_proj.weight": [64, 96],
    },
  },
  gpt2: {
    config: { model_type: "gpt2", vocab_size: 40, n_embd: 64, n_layer: 1, n_head: 4, n_positions: 32 },
    shapes: {
      "transformer.wte.weight": [40, 64],
      "transformer.wpe.weight": [32, 64],
      "transformer.ln_f.weight": [64],
      "transformer.h.0.ln_1.bias": [64],
      "transformer.h.0.attn.c_attn.weight": [64, 192],
      "transformer.h.0.attn.c_attn.bias": [192],
      "transformer.h.0.mlp.c_fc.weight": [64, 256],
      "transformer.h.0.mlp.c_proj.weight": [256, 64],
    },
  },
  gptneox: {
    config: {
      model_type: "gpt_neox",
      vocab_size: 40,
      hidden_size: 64,
      intermediate_size: 96,
      num_hidden_layers: 1,
      num_attention_heads: 4,
      max_position_embeddings: 128,
      rotary_pct: 0.25,
      use_parallel_residual: false,
    },
    shapes: {
      "gpt_neox.embed_in.weight": [40, 64],
      "embed_out.weight": [40, 64],
      "gpt_neox.layers.0.attention.query_key_value.weight": [192, 64],
      "gpt_neox.layers.0.attention.query_key_value.bias": [192],
      "gpt_neox.layers.0.mlp.dense_4h_to_h.weight": [64, 96],
    },
  },
  bert: {
    config: {
      model_type: "bert",
      vocab_size: 40,
      type_vocab_size: 2,
      hidden_size: 64,
      intermediate_size: 96,
      num_hidden_layers: 1,
      num_attention_heads: 4,
      max_position_embeddings: 32,
      layer_norm_eps: 2 ** -40,
    },
    shapes: {
      "embeddings.word_embeddings.weight": [40, 64],
      "embeddings.token_type_embeddings.weight": [2, 64],
      "embeddings.LayerNorm.bias": [64],
      "encoder.layer.0.attention.self.query.weight": [64, 64],
      "encoder.layer.0.output.LayerNorm.weight": [64],
    },
  },
};

function randomTensors(shapes: Shapes): Map<string, HostTensor> {
  const rng = new Rng(1);
  const draw = (shape: readonly number[]): HostTensor =>
    hostTensor(
      "float32",
      shape,
      // multiples of 2^-10: adding 1 is exact, as Gemma's norms need
      Float32Array.from({ length: sizeOf(shape) }, () => (rng.below(2048) - 1024) / 1024),
    );
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, draw(shape)]));
}

describe.each(Object.entries(models))("%s", (name, { config, shapes }) => {
  it("comes back with the same tensors and config", async () => {
    const tensors = randomTensors(shapes);
    expect(await writeGgufModel(path, { config, tensors }, { type: "F32" })).toEqual({ omitted: [] });
    const back = await readGgufModel(path);
    expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [key, tensor] of tensors) expect(back.tensors.get(key), key).toEqual(tensor);
    const { hidden_act: _, layer_types: __, ...expected } = config;
    expect(back.config).toMatchObject(expected);
    expect(back.metadata.get("general.architecture")).toBe(name);
  });

  it("has names of its own for every rule, both ways", () => {
    const { rules } = architectures[name as keyof typeof architectures];
    for (const side of ["gguf", "hf"] as const)
      expect(new Set(rules.map((rule) => rule[side])).size).toBe(rules.length);
  });
});

const { config, shapes } = models.llama;
const tensors = randomTensors(shapes);

it("rotates adjacent pairs: rows 0, C/2, 1, C/2+1, … of each head", async () => {
  await writeGgufModel(path, { config, tensors }, { type: "F32" });
  await using file = await readGguf(path);
  const name = "model.layers.1.self_attn.k_proj.weight";
  const { data: stored } = await file.readFloat32("blk.1.attn_k.weight");
  const { data } = tensors.get(name)!;
  const row = (values: HostTensor["data"], i: number): HostTensor["data"] => values.subarray(i * 64, (i + 1) * 64);
  for (const [to, from] of [
    [0, 0],
    [1, 8],
    [2, 1],
    [15, 15],
    [16, 16],
    [17, 24],
  ] as const) {
    expect(row(stored, to)).toEqual(row(data, from));
  }
});

it("stores matrices in the type that is asked for and vectors as F32, with the tokenizer's metadata", async () => {
  const metadata = new Map<string, GgufValue>([
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.tokens", ["a", "b"]],
    ["tokenizer.ggml.scores", [0, -1]],
    ["tokenizer.ggml.bos_token_id", 1],
  ]);
  await writeGgufModel(path, { config, tensors }, { type: "Q8_0", metadata });
  await using file = await readGguf(path);
  expect(file.tensors.get("blk.0.attn_q.weight")?.type).toBe("Q8_0");
  expect(file.tensors.get("blk.0.attn_q.bias")?.type).toBe("F32");
  expect(file.types.get("tokenizer.ggml.scores")).toBe("float32[]");
  const model = await readModel(folder);
  expect(model.ggufMetadata?.get("tokenizer.ggml.tokens")).toEqual(["a", "b"]);
  expect(model.config).toMatchObject({ model_type: "llama", bos_token_id: 1 });
  const [before, after] = [tensors, model.tensors].map((t) => t.get("lm_head.weight")!.data);
  before?.forEach((value, i) => {
    expect(Math.abs(Number(value) - Number(after?.[i]))).toBeLessThan(1 / 200); // half of 1/127, and the float16 scale
  });
});

it("keeps Llama 3's rotary scaling as factors", async () => {
  const rope_scaling = {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const scaled = { ...config, rope_theta: 500_000, rope_scaling };
  await writeGgufModel(path, { config: scaled, tensors }, { type: "F32" });
  expect((await readGgufModel(path)).config).toMatchObject({ rope_scaling });
  const other = { ...scaled, rope_scaling: { ...rope_scaling, low_freq_factor: 0.01, high_freq_factor: 400 } };
  await writeGgufModel(path, { config: other, tensors }, { type: "F32" });
  await expect(readGgufModel(path)).rejects.toThrow(/rotary factors that are not Llama 3's/);
});

describe("refuses", () => {
  it.each<[string, Config, RegExp]>([
    ["an unknown model type", { model_type: "mamba" }, /expected a model_type of llama, .*bert, got "mamba"/],
    ["another activation", { hidden_act: "relu" }, /computes llama with hidden_act "silu", the config has "relu"/],
    [
      "scalings that llama.cpp lacks",
      { rope_scaling: { rope_type: "dynamic", factor: 2 } },
      /no rope scaling "dynamic"/,
    ],
  ])("to write %s", async (_, change, message) => {
    const writing = writeGgufModel(path, { config: { ...config, ...change }, tensors }, { type: "F32" });
    await expect(writing).rejects.toThrow(message);
  });

  it("configs and tensors that do not belong there", async () => {
    const { num_attention_heads: _, ...headless } = config;
    await expect(writeGgufModel(path, { config: headless, tensors }, { type: "F32" })).rejects.toThrow(ConfigError);
    const stray = new Map([...tensors, ["model.layers.0.extra.weight", tensors.get("model.norm.weight")!] as const]);
    await expect(writeGgufModel(path, { config, tensors: stray }, { type: "F32" })).rejects.toThrow(
      /llama has no tensor for "model.layers.0.extra.weight"/,
    );
  });

  it("to read other architectures, parts and vocabularies", async () => {
    const write = (entries: [string, GgufValue][]): Promise<void> =>
      writeGguf(path, { metadata: new Map(entries), tensors: [] });
    await write([["general.architecture", "mamba"]]);
    await expect(readGgufModel(path)).rejects.toThrow(UnsupportedError);
    await expect(readGgufModel(path)).rejects.toThrow(/one of llama, .*, found "mamba"/);
    await write([["general.architecture", "llama"]]);
    await expect(readGgufModel(path)).rejects.toThrow(/a vocabulary but no weights/);
    await write([["split.count", 3]]);
    await expect(readGgufModel(path)).rejects.toThrow(/one of 3 parts; join them/);
  });
});
