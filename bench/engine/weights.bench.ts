/** @file Weights for serving: memory and time of making them from a 1 GB checkpoint, and what fewer bits cost a real model. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type HostTensor, sizeOf } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { writeSafetensors } from "../../src/checkpoint/index.js";
import { type CachePolicy, cachePolicies, Engine, type WeightFormat, Weights } from "../../src/engine/index.js";
import { llama } from "../../src/models/index.js";
import { parameterSpecs } from "../../src/nn/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { toTokenizerJson, trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, plain, runModule } from "../bench.js";
import { loaderBytes } from "../peak.js";
import { hasStories, mean, scored, stories, storyModel } from "./stories.js";

/** 246 million parameters, 984 MB as float32, the embedding also the head. */
const shape = {
  model_type: "llama",
  vocab_size: 32_000,
  hidden_size: 1024,
  intermediate_size: 2816,
  num_hidden_layers: 19,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  tie_word_embeddings: true,
} as const;

/** Tokens of text that a format is judged by, unless another number is given after the name. */
const TOKENS = 20_000;

interface Made {
  readonly seconds: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

/** Writes a checkpoint with random values, which come again: only their number matters. */
async function writeCheckpoint(folder: string): Promise<number> {
  const rng = new Rng(1);
  const pattern = Float32Array.from({ length: 2 ** 18 }, () => 0.02 * rng.normal());
  const specs = parameterSpecs(llama(shape));
  const entries = specs.map(({ name, shape: sizes }): [string, HostTensor] => {
    const filled = (): Float32Array => {
      const data = new Float32Array(sizeOf(sizes));
      for (let at = 0; at < data.length; at += pattern.length) data.set(pattern.subarray(0, data.length - at), at);
      return data;
    };
    return [
      name,
      {
        dtype: "float32",
        shape: sizes,
        get data() {
          return filled();
        },
      },
    ]; // prettier-ignore
  });
  await writeSafetensors(join(folder, "model.safetensors"), entries);
  await writeFile(join(folder, "config.json"), JSON.stringify(shape));
  const tokenizer = trainByteLevelBpe(["to serve"], { vocabSize: 260, specialTokens: ["<|endoftext|>"] });
  await writeFile(join(folder, "tokenizer.json"), toTokenizerJson(tokenizer));
  return Math.max(...specs.map(({ shape: sizes }) => 4 * sizeOf(sizes)));
}

async function memory({ log }: BenchContext): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "tessera-weights-"));
  const child = fileURLToPath(new URL("./weights-child.ts", import.meta.url));
  // what the compiler of the sources takes is not there in use
  const loader = await loaderBytes();
  const make = async (format: WeightFormat, way: string): Promise<Made> => {
    const made = await runModule<Made>(child, folder, format, way);
    return { ...made, peakBytes: made.peakBytes - loader };
  };
  const figures: Figure[] = [];
  try {
    const largest = await writeCheckpoint(folder);
    for (const format of ["int8", "int4"] as const) {
      const [streamed, whole, served] = [
        await make(format, "streamed"),
        await make(format, "whole"),
        await make(format, "served"),
      ];
      log(
        `  ${format}: ${[streamed, whole, served].map(({ peakBytes }) => (peakBytes / 1e6).toFixed(0)).join(", ")} MB`,
      );
      const peer = { value: whole.peakBytes / 1e6, name: "read whole, then packed" };
      figures.push(
        plain(`${format}: packed model`, "MB", streamed.bytes / 1e6),
        compared(`${format}: peak of packing`, "MB", streamed.peakBytes / 1e6, peer),
        plain(
          `${format}: peak beyond the packed model`,
          "largest tensors",
          (streamed.peakBytes - streamed.bytes) / largest,
          { atMost: 3 },
        ),
        plain(`${format}: time`, "s", streamed.seconds),
        plain(`${format}: peak until the first tokens are out`, "MB", served.peakBytes / 1e6),
      );
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Judged {
  readonly loss: number;
  readonly likeliest: readonly number[];
}

/** Loss and most likely tokens of stories, all through one engine. */
async function judge(
  runtime: Runtime,
  loaded: Awaited<ReturnType<typeof storyModel>>,
  texts: readonly number[][],
  format: WeightFormat,
  cache: CachePolicy,
): Promise<Judged> {
  const { model, parameters } = loaded;
  await using engine = await Engine.create(runtime, model, new Weights(model, parameters, format), {
    contextLength: model.maxPositions,
    cache,
  });
  const all = await Promise.all(
    texts.map(async (ids) => {
      const seen = [];
      for await (const token of scored(engine, model.vocabSize, ids)) seen.push(token);
      return seen;
    }),
  );
  const tokens = all.flat();
  return { loss: mean(tokens.map(({ logprob }) => -logprob)), likeliest: tokens.map(({ likeliest }) => likeliest) };
}

async function quality(context: BenchContext): Promise<Figure[]> {
  if (!hasStories) {
    context.log("../shared/data is absent: perplexities are skipped");
    return [];
  }
  const loaded = await storyModel();
  const wanted = Number(context.args[0] ?? TOKENS);
  const texts: number[][] = [];
  for (const ids of stories(loaded)) {
    if (texts.flat().length >= wanted) break;
    texts.push(ids.slice(0, loaded.model.maxPositions));
  }
  await using runtime = await Runtime.open();
  const { contiguous, paged, "int8-rows": int8Rows } = cachePolicies;
  const base = await judge(runtime, loaded, texts, "float32", contiguous);
  const figures: Figure[] = [];
  for (const [title, format, cache] of [
    ["int8 weights", "int8", contiguous],
    ["int4 weights", "int4", contiguous],
    ["paged rows", "float32", paged],
    ["int8 rows", "float32", int8Rows],
  ] as const) {
    const { loss, likeliest } = await judge(runtime, loaded, texts, format, cache);
    context.log(`  ${title}: ${loss.toFixed(4)} nats against ${base.loss.toFixed(4)}`);
    const same = likeliest.filter((id, i) => id === base.likeliest[i]).length / likeliest.length;
    const peer = { value: Math.exp(base.loss), name: "float32, contiguous" };
    figures.push(
      compared(`${title}: perplexity`, "", Math.exp(loss), peer),
      plain(`${title}: same most likely token`, "share", same),
    );
  }
  return figures;
}

export const weightFormats: Benchmark = {
  name: "weights",
  about:
    "weights for serving: peak memory of packing a 1 GB checkpoint, perplexity of int8 and int4 and of rounded rows",
  run: async (context) => [...(await memory(context)), ...(await quality(context))],
};
