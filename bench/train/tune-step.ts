/** @file What the tune benchmark runs in child processes: ours, and PEFT's or PyTorch's on the same checkpoint and rows. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeModel } from "../../src/checkpoint/index.js";
import { readExamples, tokenizeExamples } from "../../src/datasets/index.js";
import type { SavePolicy } from "../../src/graph/index.js";
import { llama } from "../../src/models/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../../src/peft/index.js";
import { ChatTemplate, tokenizerFromFiles } from "../../src/tokenizers/index.js";
import { runJson, runModule } from "../bench.js";

export interface TuneStep {
  /** Checkpoint. */
  readonly folder: string;
  /** JSON of rows: ids and weights of time + 1 tokens each. */
  readonly rows: string;
  /** JSON of the adapter's values at the start. */
  readonly adapter?: string;
  readonly method: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly time: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly threads: number;
  readonly save: SavePolicy;
  readonly attentionTile?: number;
  readonly lossRows?: number;
  readonly stream?: boolean;
}

export interface TuneResult {
  /** Operations of a step's passes. */
  readonly flops: number;
  readonly stepMs: readonly number[];
  readonly losses: readonly number[];
  readonly peakBytes: number;
  readonly baselineBytes: number;
}

export const DATA = "../shared/data/data-llamafactory/alpaca_en_demo.json";
const TOKENIZER = "../shared/data/tok-smollm";

/** SmolLM's tokenizer, by file. */
export const tokenizerFiles = (): Map<string, Uint8Array> =>
  new Map(
    readdirSync(TOKENIZER)
      .filter((name) => name.startsWith("tokenizer"))
      .map((name) => [name, readFileSync(join(TOKENIZER, name))]),
  );

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export const runOurs = (step: TuneStep): Promise<TuneResult> =>
  runModule(path("./tune-child.ts"), JSON.stringify(step));

export const runPeft = (python: string, step: TuneStep): Promise<TuneResult> =>
  runJson(python, [path("../peers/tune.py"), JSON.stringify(step)], {
    ...process.env,
    OMP_NUM_THREADS: String(step.threads),
  });

/** SmolLM2-135M's shape, with positions for the longest rows of the benchmarks. */
const smolLm2 = {
  model_type: "llama" as const,
  architectures: ["LlamaForCausalLM"],
  vocab_size: 49_152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 16_384,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  tie_word_embeddings: true,
  hidden_act: "silu" as const,
  torch_dtype: "float32",
  bos_token_id: 1,
  eos_token_id: 2,
};

/** Writes a checkpoint with random weights, and the start of a LoRA adapter of it. */
export async function writeCheckpoint(
  folder: string,
  tokenizerFiles: ReadonlyMap<string, Uint8Array>,
  numLayers = smolLm2.num_hidden_layers,
): Promise<string> {
  const config = { ...smolLm2, num_hidden_layers: numLayers };
  const model = llama(config);
  const parameters = initialize(parameterSpecs(model), 1);
  await writeModel(folder, {
    config,
    tensors: parameters,
    files: tokenizerFiles,
  });
  const adapter = createAdapter(model, { config: { r: 8, lora_alpha: 16 } });
  const start = initialize(adapterSpecs(model, attach(model, adapter)), 2);
  const file = join(folder, "adapter-start.json");
  writeFileSync(
    file,
    JSON.stringify(Object.fromEntries([...start].map(([name, { data }]) => [name, Array.from(data as Float32Array)]))),
  );
  return file;
}

/** Rows of time + 1 tokens: rendered examples end to end, those of the assistant's tokens that are learned marked. */
export async function writeRows(
  data: string,
  file: string,
  tokenizerFiles: ReadonlyMap<string, Uint8Array>,
  time: number,
  count: number,
): Promise<void> {
  const { examples } = await readExamples(data);
  const tokenizer = tokenizerFromFiles(tokenizerFiles);
  const template = new ChatTemplate(CHATML);
  const marks = { prefix: [], suffix: [2] };
  const { documents } = tokenizeExamples(examples.slice(0, 2 * count + 200), {
    tokenizer,
    marks,
    template,
    maxTokens: 4096,
    overLong: "drop",
  });
  const ids = documents.flatMap((document) => Array.from(document.ids));
  const weights = documents.flatMap((document) => Array.from(document.targets));
  const rows = Array.from({ length: count }, (_, i) => ({
    ids: ids.slice(i * time, (i + 1) * time + 1),
    weights: weights.slice(i * time, (i + 1) * time + 1),
  }));
  writeFileSync(file, JSON.stringify(rows.filter((row) => row.ids.length === time + 1)));
}

const CHATML =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
