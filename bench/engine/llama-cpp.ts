/** @file The benchmark's model in node-llama-cpp, in a process of its own that waits while ours runs. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { GgufValue } from "../../src/checkpoint/gguf/metadata.js";
import { writeGgufModel } from "../../src/checkpoint/gguf/model.js";
import type { JsonValue } from "../../src/checkpoint/json.js";
import { type BenchModel, shape, threads } from "./shape.js";

export interface Request {
  readonly prompt: readonly number[];
  readonly text: number;
}

/** Milliseconds until the first token, and from it to the last. */
export interface Timed {
  readonly first: number;
  readonly rest: number;
}

export interface LlamaCpp {
  /** Runs requests together. */
  run(requests: readonly Request[]): Promise<readonly Timed[]>;
  close(): Promise<void>;
}

/** Tokens that stand for nothing: llama.cpp loads no model without a vocabulary. */
function vocabulary(): Map<string, GgufValue> {
  const tokens = Array.from({ length: shape.vocab_size }, (_, i) => {
    if (i < 3) return ["<unk>", "<s>", "</s>"][i]!;
    return i < 259 ? `<0x${(i - 3).toString(16).toUpperCase().padStart(2, "0")}>` : `t${i}`;
  });
  const kinds = tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1));
  return new Map<string, GgufValue>([
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.pre", "default"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.scores", tokens.map((_, i) => -i)],
    ["tokenizer.ggml.token_type", kinds],
    ["tokenizer.ggml.bos_token_id", 1],
    ["tokenizer.ggml.eos_token_id", 2],
    ["tokenizer.ggml.unknown_token_id", 0],
  ]);
}

/**
 * Writes the model as Q4_0 and loads it.
 * @param library folder whose node_modules have node-llama-cpp
 */
export async function openLlamaCpp(
  library: string,
  { model, parameters }: BenchModel,
  options: { readonly contextLength: number; readonly sequences: number },
): Promise<LlamaCpp> {
  const folder = await mkdtemp(join(tmpdir(), "tessera-bench-"));
  const path = join(folder, "model.gguf");
  const config = JSON.parse(JSON.stringify(model.config)) as Record<string, JsonValue>;
  await writeGgufModel(path, { config, tensors: parameters }, { type: "Q4_0", metadata: vocabulary() });
  const script = fileURLToPath(new URL("../peers/llama_cpp.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify({ library, model: path, threads, ...options })], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("node-llama-cpp ended without an answer");
    return JSON.parse(value);
  };
  await next();
  return {
    run: async (requests) => {
      child.stdin.write(`${JSON.stringify(requests)}\n`);
      return (await next()) as Timed[];
    },
    close: async () => {
      child.stdin.end();
      await ended(child);
      await rm(folder, { recursive: true });
    },
  };
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once("exit", () => resolve()));
