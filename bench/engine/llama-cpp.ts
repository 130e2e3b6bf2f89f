/** @file The benchmark's model in node-llama-cpp, in a process of its own that waits while ours runs. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type BenchModel, threads, writeBenchModel } from "./shape.js";

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

/**
 * Writes the model as Q4_0 and loads it.
 * @param library folder whose node_modules have node-llama-cpp
 */
export async function openLlamaCpp(
  library: string,
  bench: BenchModel,
  options: { readonly contextLength: number; readonly sequences: number },
): Promise<LlamaCpp> {
  const folder = await mkdtemp(join(tmpdir(), "tessera-bench-"));
  const path = join(folder, "model.gguf");
  await writeBenchModel(path, bench);
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
